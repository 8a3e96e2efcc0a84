import type { Turn } from "../default-answer.js";
import type { FunctionDescription } from "./function-list.js";
import { type Entry, type Example, isTaught, type Reminder, readTaughtPrompt } from "./taught-prompt.js";

export type ResultEntry = Extract<Entry, { kind: "result" }>;

/**
 * What the model knows of a chat in one turn: the functions told so far on this branch, the newest word of the tag, and
 * everything that was said, oldest first.
 */
export type TaughtChat = {
  functions: ReadonlyMap<string, FunctionDescription>;
  word: string | undefined;
  example: Example | undefined;
  reminder: Reminder;
  entries: readonly Entry[];
  /** The directory in which an agent says that it works. */
  workingDirectory: string | undefined;
};

/** The state of a chat; undefined if nobody has told it of functions. */
export function readTaughtChat({ history, text }: Pick<Turn, "history" | "text">): TaughtChat | undefined {
  // Whoever tells of functions shows the form of a call.
  if (![...history, { text }].some((message) => message.text.includes("<call-"))) return undefined;
  const functions = new Map<string, FunctionDescription>();
  const entries: Entry[] = [];
  let example: Example | undefined;
  let word: string | undefined;
  let taught = false;
  const prompt = readTaughtPrompt(text);
  const told = history.map((message) =>
    message.role === "user"
      ? readTaughtPrompt(message.text)
      : { kind: "assistant" as const, text: message.text },
  );
  for (const part of [...told, prompt]) {
    if ("kind" in part) {
      entries.push(part);
      continue;
    }
    taught ||= isTaught(part);
    for (const description of part.functions) functions.set(description.name, description);
    entries.push(...part.entries);
    example = part.example ?? example;
    word = part.word ?? word;
  }
  if (!taught) return undefined;
  const { reminder } = prompt;
  return {
    functions,
    word,
    example,
    reminder,
    entries,
    workingDirectory: findWorkingDirectory(history, text),
  };
}

const workingDirectoryPattern =
  /\b(?:working director(?:y|ies)|working in(?: the directory)?|cwd)\b[^\n/]{0,40}?((?:\/[\w.@+-]+)+)/i;

function findWorkingDirectory(history: Turn["history"], text: string): string | undefined {
  const told = history.filter(({ role }) => role === "user").map((message) => message.text);
  for (const candidate of [text, ...told.reverse()]) {
    const match = workingDirectoryPattern.exec(candidate);
    if (match?.[1]) return match[1];
  }
  return undefined;
}

/** The user's words that are still to be done, and the results that have come since, round by round. */
export type OpenRequest = { text: string; rounds: readonly (readonly ResultEntry[])[] };

/**
 * The newest words of the user's, without those that an agent adds in tags (`<system-reminder>…</system-reminder>`), and
 * the results after them. Consecutive results are one round.
 */
export function findOpenRequest(entries: readonly Entry[]): OpenRequest {
  const index = entries.findLastIndex((entry) => entry.kind === "user" && !isAddedByAgent(entry.text));
  const rounds: ResultEntry[][] = [];
  let isOpen = false;
  for (const entry of entries.slice(index + 1)) {
    if (entry.kind === "result") {
      if (isOpen) rounds.at(-1)?.push(entry);
      else rounds.push([entry]);
    }
    isOpen = entry.kind === "result";
  }
  return { text: entries[index]?.text ?? "", rounds };
}

/** The newest result, if nothing but what agents add in tags was said after it. */
export function findNewestResult(entries: readonly Entry[]): ResultEntry | undefined {
  const last = entries.findLast((entry) => entry.kind !== "user" || !isAddedByAgent(entry.text));
  return last?.kind === "result" ? last : undefined;
}

function isAddedByAgent(text: string): boolean {
  return /^\s*<[\w-]+[^>]*>[\s\S]*<\/[\w-]+>\s*$/.test(text);
}
