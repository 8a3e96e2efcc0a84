/** Something that a sentence asks for. `question` is what is to be told of the result. */
export type Task =
  | { kind: "read"; path: string; question: string }
  | { kind: "run"; command: string; question: string }
  | { kind: "write"; path: string; content: string }
  | { kind: "edit"; path: string; before: string; after: string }
  | { kind: "copy"; path: string; to: string };

const maxLines = 120;

/** A path with a slash or with an extension, with or without quotes. */
const file = (group: string) =>
  `(?:the |a )?(?:new )?(?:text )?(?:file )?(?:named |called )?[\`"'“]?(?<${group}>(?:[A-Za-z]:\\\\)?[\\w@~./\\\\-]*(?:[/\\\\][\\w@.-]+|[\\w@-]\\.\\w{1,8}))[\`"'”]?`;
/** Words in quotes, or without quotes up to the word that follows in the pattern. */
const words = (group: string) =>
  `(?:\`(?<${group}1>[^\`]+)\`|"(?<${group}2>[^"]+)"|“(?<${group}3>[^”]+)”|'(?<${group}4>[^']+)'|(?<${group}5>.+?))`;
const start = "(?<=^|[\\s(,;:.*-])";

/** Builds a task from the named groups of a match. `question` is what the sentence asks to be told. */
type Pattern = { pattern: RegExp; toTask: (group: (name: string) => string, question: string) => Task };

const patterns: readonly Pattern[] = [
  {
    pattern: new RegExp(
      `${start}(?:replace|change) ${words("a")} (?:by|with|to|into) ${words("b")} in(?:side)? ${file("path")}`,
      "gi",
    ),
    toTask: (group) => ({ kind: "edit", path: group("path"), before: group("a"), after: group("b") }),
  },
  {
    pattern: new RegExp(`${start}copy (?:the contents? of )?${file("path")} (?:in)?to ${file("to")}`, "gi"),
    toTask: (group) => ({ kind: "copy", path: group("path"), to: group("to") }),
  },
  {
    pattern: new RegExp(`${start}(?:write|put|save) ${words("a")} (?:in)?to ${file("path")}`, "gi"),
    toTask: (group) => ({ kind: "write", path: group("path"), content: group("a") }),
  },
  {
    pattern: new RegExp(
      `${start}(?:create|write) ${file("path")} (?:with|containing)(?: the)?(?: contents?| text| words?)?:? ${words("a")}(?=$|[.;,] |[.;]$| and then )`,
      "gi",
    ),
    toTask: (group) => ({ kind: "write", path: group("path"), content: group("a") }),
  },
  {
    pattern: new RegExp(`${start}(?:read|open|view|look at|show me) ${file("path")}`, "gi"),
    toTask: (group, question) => ({ kind: "read", path: group("path"), question }),
  },
  {
    pattern: new RegExp(
      `${start}(?:run|execute) (?:the )?(?:shell )?(?:command )?:? ?${words("a")}(?=$|[.;,]? (?:and|then) |[.;]$|\\. [A-Z]|[,;] )`,
      "gi",
    ),
    toTask: (group, question) => ({ kind: "run", command: group("a"), question }),
  },
];

/** The tasks of the last line of a text that has any, in the order of the sentence. */
export function readTasks(text: string): Task[] {
  for (const line of text.split("\n").slice(-maxLines).reverse()) {
    const tasks = readLine(line.trim());
    if (tasks.length > 0) return tasks;
  }
  return [];
}

function readLine(line: string): Task[] {
  const found: { index: number; end: number; task: Task }[] = [];
  for (const { pattern, toTask } of patterns) {
    for (const match of line.matchAll(pattern)) {
      const { index } = match;
      const end = index + match[0].length;
      if (found.some((other) => index < other.end && end > other.index)) continue;
      found.push({ index, end, task: toTask(groupsOf(match), questionAfter(line, end)) });
    }
  }
  return found.sort((a, b) => a.index - b.index).map(({ task }) => task);
}

/** A group by its name, or the alternative of `words` that matched. */
function groupsOf({ groups = {} }: RegExpExecArray): (name: string) => string {
  return (name) => {
    const alternatives = [name, ...[1, 2, 3, 4, 5].map((index) => `${name}${index}`)];
    return alternatives.map((alternative) => groups[alternative]).find((text) => text !== undefined) ?? "";
  };
}

/** What a sentence asks to be told, up to its end: “and tell me the port”. */
function questionAfter(line: string, end: number): string {
  const rest = line.slice(end);
  const match =
    /^\W*(?:and |then |, )*(?:tell me|say|answer|report|give me|show me|quote)(?: me)?:? (.+?)(?:[.?!](?:\s|$)|$)/i.exec(
      rest,
    );
  return match?.[1] ?? "";
}
