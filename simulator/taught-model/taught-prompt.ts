import { type FunctionDescription, findCallWord, readFunctionList } from "./function-list.js";

/** A part of what was said. `name` is the function of a result, as far as the prompt tells it. */
export type Entry =
  | { kind: "user" | "assistant" | "system"; text: string }
  | { kind: "result"; name: string; text: string };

/** The example of a finished call in a functions' section. */
export type Example = { name: string; result: string };

/** What the last line of a prompt reminds of: nothing, the form of a call, that a call is due, or that none is. */
export type Reminder =
  | { kind: "absent" | "form" | "prose" }
  | { kind: "call"; single: boolean; text: string };

/** One prompt, as far as it speaks of functions. `entries` are those of this prompt alone, oldest first. */
export type TaughtPrompt = {
  functions: readonly FunctionDescription[];
  word: string | undefined;
  example: Example | undefined;
  reminder: Reminder;
  entries: readonly Entry[];
};

const maxReminderCharacters = 320;
const resultPattern =
  /^\s*[[(*]{0,2}results? of [`"']?([\w.-]+)[`"']?(?:,? \(?call \d+(?: of \d+)?\)?)?[\])*]{0,2}\s*:\s?(.*)$/i;
const rolePattern = /^(user|assistant|system):(?: (.*))?$/i;
const callLine = /^\s*<call-[a-z0-9]{4}>/;

/** Reads a prompt. It need not have a section: without one, all of it is one entry, unless it names roles or results. */
export function readTaughtPrompt(text: string): TaughtPrompt {
  const { body, reminder } = splitReminder(text);
  const lines = body.split("\n");
  const { functions, end } = readFunctionList(lines);
  const word = findCallWord(text);
  const spoken = readEntries(lines.slice(end));
  if (functions.length === 0 || !lines.slice(end).some((line) => line.includes("<call-")))
    return { functions, word, example: undefined, reminder, entries: spoken };
  return { functions, word, reminder, ...splitExample(spoken, functions) };
}

/** True if a prompt speaks of functions: it has a section, or a reminder of the form. */
export function isTaught({ functions, reminder, word }: TaughtPrompt): boolean {
  return functions.length > 0 || (reminder.kind !== "absent" && word !== undefined);
}

/** Separates the reminder, which is the last line that is not empty. */
function splitReminder(text: string): { body: string; reminder: Reminder } {
  const trimmed = text.trimEnd();
  const start = trimmed.lastIndexOf("\n") + 1;
  const reminder = parseReminder(trimmed.slice(start).trim());
  if (reminder.kind === "absent") return { body: text, reminder };
  return { body: trimmed.slice(0, start), reminder };
}

function parseReminder(line: string): Reminder {
  if (
    line.length > maxReminderCharacters ||
    line.includes("sim:") ||
    callLine.test(line) ||
    resultPattern.test(line)
  )
    return { kind: "absent" };
  const hasForm = /<call-[a-z0-9]{4}>/.test(line);
  if (
    /consists of|at least one|exactly one|must be a call/i.test(line) &&
    (hasForm || /\bcalls?\b/i.test(line))
  )
    return { kind: "call", single: /exactly one|one call only/i.test(line), text: line };
  if (hasForm) return { kind: "form" };
  const speaksOfCalls = /\b(calls?|functions?|tools?)\b/i.test(line);
  const isProse =
    /\b(is|in|as|be) (plain )?(prose|text)\b|\bwithout (a |any )?(function |tool )?calls?\b/i.test(line);
  return isProse && (speaksOfCalls || /\bprose\b/i.test(line)) ? { kind: "prose" } : { kind: "absent" };
}

/** Splits a text at lines that begin with a role, a result or a call; what comes before the first of them is the user's. */
function readEntries(lines: readonly string[]): Entry[] {
  const entries: { entry: Entry; lines: string[] }[] = [];
  for (const line of lines) {
    const started = startEntry(line);
    const last = entries.at(-1);
    if (started && !(callLine.test(line) && last?.entry.kind === "assistant")) entries.push(started);
    else if (last) last.lines.push(line);
    else entries.push({ entry: { kind: "user", text: "" }, lines: [line] });
  }
  const read = entries.map(({ entry, lines: own }) => ({ ...entry, text: joinEntry(own) }));
  return read.filter(({ kind, text }) => kind === "result" || text.trim() !== "");
}

function startEntry(line: string): { entry: Entry; lines: string[] } | undefined {
  const result = resultPattern.exec(line);
  if (result) return { entry: { kind: "result", name: result[1] ?? "", text: "" }, lines: [result[2] ?? ""] };
  const role = rolePattern.exec(line);
  const kind = role?.[1]?.toLowerCase();
  if (role && (kind === "user" || kind === "assistant" || kind === "system"))
    return { entry: { kind, text: "" }, lines: [role[2] ?? ""] };
  return callLine.test(line) ? { entry: { kind: "assistant", text: "" }, lines: [line] } : undefined;
}

/** The text of an entry without the empty line that separates it from the next one. */
function joinEntry(lines: readonly string[]): string {
  const text = lines.join("\n");
  const withoutSeparator = text.replace(/\n\n$|\n$/, "");
  return text.startsWith("\n") ? withoutSeparator.slice(1) : withoutSeparator;
}

/**
 * Removes the example from the entries: it ends with its result, the first one after a section. What follows the first
 * paragraph of that result is no part of it, since an example's values are short.
 */
function splitExample(
  entries: readonly Entry[],
  functions: readonly FunctionDescription[],
): Pick<TaughtPrompt, "example" | "entries"> {
  const index = entries.findIndex(({ kind }) => kind === "result");
  const result = entries[index];
  if (result?.kind !== "result") return { example: undefined, entries: entries.slice(-1) };
  const [text = "", ...rest] = result.text.split("\n\n");
  const after = rest.join("\n\n");
  const unmarked: Entry[] = after.trim() === "" ? [] : [{ kind: "user", text: after }];
  const isKnown = functions.some(({ name }) => name === result.name);
  return {
    example: isKnown ? { name: result.name, result: text } : undefined,
    entries: mergeUnmarked([...unmarked, ...entries.slice(index + 1)]),
  };
}

/**
 * A prompt ends with the user's words or a result: what seems to be the assistant's at its end is not marked otherwise.
 * Behind the user's words there may be some of the system, as Claude Code sends them.
 */
function mergeUnmarked(entries: readonly Entry[]): Entry[] {
  const last = entries.at(-1);
  const isOfSystem = last?.kind === "system" && !entries.some(({ kind }) => kind === "user");
  if (last?.kind !== "assistant" && !isOfSystem) return [...entries];
  return [...entries.slice(0, -1), { kind: "user", text: last.text }];
}
