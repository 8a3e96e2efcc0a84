// Prompts that tell a model of functions, written from the description of the form alone: setting, functions, form of a
// call, finished example, system text, history, and a reminder as the last line.

type Json = Record<string, unknown>;

export type FunctionSpec = { name: string; description: string; schema: Json };

/** A tag word as such prompts have it. */
export const word = "7f3k";

export const readNote = spec("read_note", "Reads a note.", { path: { type: "string" } }, ["path"]);
export const listNotes = spec("list_notes", "Lists the notes.", {}, []);
export const saveNote = spec(
  "save_note",
  "Saves a note.",
  { path: { type: "string" }, text: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
  ["path", "text"],
);

export function spec(name: string, description: string, properties: Json, required: string[]): FunctionSpec {
  return { name, description, schema: { type: "object", properties, required } };
}

/** The ways in which a function may be described. */
export const layouts = {
  "name – description, schema below": ({ name, description, schema }: FunctionSpec) =>
    `${name} – ${description}\n${JSON.stringify(schema)}`,
  "name – description, schema behind": ({ name, description, schema }: FunctionSpec) =>
    `- \`${name}\` – ${description} Parameters: ${JSON.stringify(schema)}`,
  "heading, description, schema below": ({ name, description, schema }: FunctionSpec) =>
    `### ${name}\n\n${description}\nIt says: more on this.\n\n${JSON.stringify(schema)}`,
} satisfies Record<string, (described: FunctionSpec) => string>;

export type Layout = keyof typeof layouts;

/** The reminders for the choices that a client may make. */
const reminders = {
  auto: `A call is a line of its own: <call-${word}>{"name":"…","arguments":{…}}</call-${word}>; nothing follows the last one.`,
  none: "This answer is prose: the functions are not available for it.",
  required: `The next message consists of at least one call, written as <call-${word}>{"name":"…","arguments":{…}}</call-${word}>.`,
  single: `The next message consists of exactly one call, written as <call-${word}>{"name":"…","arguments":{…}}</call-${word}>.`,
  named: `The next message consists of a call of save_note, written as <call-${word}>{"name":"…","arguments":{…}}</call-${word}>.`,
};

export type Choice = keyof typeof reminders;

/** The first prompt of a chat. */
export function firstPrompt(
  functions: readonly FunctionSpec[],
  userText: string,
  {
    layout = "name – description, schema below",
    choice = "auto",
    system = "",
  }: {
    layout?: Layout;
    choice?: Choice;
    system?: string;
  } = {},
): string {
  const [example] = functions;
  return [
    "This conversation is run by a program on the user's computer. It can carry out the functions below.",
    functions.map(layouts[layout]).join("\n\n"),
    `A call is written in one line:\n<call-${word}>{"name":"NAME","arguments":{"argument":"value"}}</call-${word}>`,
    `An example of a finished call:\nuser: Please use it.\n<call-${word}>{"name":"${example?.name}","arguments":{"path":"EXAMPLE"}}</call-${word}>`,
    `result of ${example?.name}, call 1 of 1: EXAMPLE RESULT`,
    "assistant: It returned EXAMPLE RESULT.",
    ...(system === "" ? [] : [`system: ${system}`]),
    system === "" ? userText : `user: ${userText}`,
    reminders[choice],
  ].join("\n\n");
}

/** A later prompt of the same chat, with results. */
export function resultPrompt(
  results: readonly [name: string, text: string][],
  choice: Choice = "auto",
): string {
  const lines = results.map(
    ([name, text], index) => `result of ${name}, call ${index + 1} of ${results.length}: ${text}`,
  );
  return [...lines, reminders[choice]].join("\n\n");
}

/** A later prompt of the same chat, with the user's words. */
export function laterPrompt(userText: string, choice: Choice = "auto"): string {
  return `${userText}\n\n${reminders[choice]}`;
}
