import { type Directive, lastLine, parseDirectives } from "../directives.js";
import { type JsonObject, parseObject } from "../json.js";
import { splitFormat } from "./format-section.js";
import { findOpenRequest } from "./taught-chat.js";
import { isTaught, readTaughtPrompt } from "./taught-prompt.js";

/** A call that the model is asked to write. */
export type RequestedCall = { name: string; arguments: JsonObject };

/** The directives of one message; `text` is what they stand in. `rounds` are the calls, those of a round at once. */
export type MessageDirectives = { text: string; directives: Directive[]; rounds: RequestedCall[][] };

const maxLines = 400;

/**
 * The directives of a prompt for everything but calls, the description of a format apart: those of its last line, or, where a prompt speaks of functions,
 * those of its newest message, which neither the section nor the reminder belongs to.
 */
export function readPromptDirectives(prompt: string): Directive[] {
  const { body, format } = splitFormat(prompt);
  return readBodyDirectives(format ? body : prompt);
}

function readBodyDirectives(text: string): Directive[] {
  if (!mayBeTaught(text)) return parseDirectives(text);
  const prompt = readTaughtPrompt(text);
  if (!isTaught(prompt) && prompt.reminder.kind === "absent") return parseDirectives(text);
  const last = prompt.entries.at(-1);
  return readMessageDirectives(last?.kind === "result" ? last.text : findOpenRequest(prompt.entries).text)
    .directives;
}

/** A cheap test, so that a long prompt that has nothing to do with functions is not read line by line. */
function mayBeTaught(text: string): boolean {
  return text.includes("<call-") || /\b(prose|calls?|functions?)\b/i.test(lastLine(text));
}

/** The last lines of a message that have directives. Other lines may follow: an agent's additions, or a correction. */
export function readMessageDirectives(message: string): MessageDirectives {
  const lines = message.split("\n").slice(-maxLines);
  const end = lines.findLastIndex((line) => lineHasDirective(line)) + 1;
  let start = end;
  while (start > 0 && lineHasDirective(lines[start - 1] ?? "")) start -= 1;
  const block = lines.slice(start, end);
  const directives: Directive[] = [];
  const rounds: RequestedCall[][] = [];
  let isNewRound = true;
  for (const line of block) {
    const [before = "", call] = line.split(/(?<=^|\s)sim:call\s+(.*)$/);
    const own = parseDirectives(before.replace(/(?<=^|\s)sim:(family|tool-fault) +(?=\S)/g, "sim:$1="));
    directives.push(...own.filter(({ name }) => name !== "then"));
    if (own.some(({ name }) => name === "then")) isNewRound = true;
    const requested = call === undefined ? undefined : parseCall(call);
    if (!requested) continue;
    if (isNewRound) rounds.push([]);
    rounds.at(-1)?.push(requested);
    isNewRound = false;
  }
  return { text: block.join("\n"), directives, rounds };
}

function lineHasDirective(line: string): boolean {
  return /(?<=^|\s)sim:call\s+\S/.test(line) || parseDirectives(line).length > 0;
}

/** Parses `NAME {json}`; without JSON the arguments are empty. */
function parseCall(text: string): RequestedCall | undefined {
  const [, name, json] = /^(\S+)\s*(.*)$/.exec(text.trim()) ?? [];
  return name === undefined ? undefined : { name, arguments: parseObject(json ?? "") ?? {} };
}
