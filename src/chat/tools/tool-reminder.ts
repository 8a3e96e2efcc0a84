import type { ToolChoice } from "../../core/types.js";
import { callForm } from "./call-form.js";
import type { ToolAliases } from "./tool-aliases.js";

export type ReminderInput = {
  toolChoice: ToolChoice | undefined;
  parallelToolCalls: boolean | undefined;
  aliases: ToolAliases;
  word: string;
};

/** The last line of a turn that may have calls: their form, and whether calls are due. At most 200 characters. */
export function writeReminder({
  toolChoice = "auto",
  parallelToolCalls,
  aliases,
  word,
}: ReminderInput): string {
  const isSingle = parallelToolCalls === false;
  const form = callForm(word);
  if (typeof toolChoice === "object") {
    const name = aliases.told(toolChoice.name);
    const count = isSingle ? "exactly one call" : "a call";
    return `The next message consists of ${count} of ${name}: ${form}; nothing follows.`;
  }
  if (toolChoice === "required") {
    return isSingle
      ? `The next message consists of exactly one call, in one line: ${form}; nothing follows it.`
      : `The next message consists of at least one call, one a line: ${form}; nothing follows the last one.`;
  }
  return isSingle
    ? `A call is one line, and a message has one call: ${form}; nothing follows it.`
    : `A call is one line: ${form}; independent calls are several lines, and nothing follows the last one.`;
}

/** The last line of a turn that has no calls although the chat was told of functions. */
export const proseReminder = "This answer is prose, without calls of functions.";
