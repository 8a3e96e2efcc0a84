import type { Message, Tool, ToolChoice } from "../../core/types.js";
import { ToolAliases } from "./tool-aliases.js";
import { createToolState, type ToolState } from "./tool-state.js";

export type ToolPromptInput = {
  /** The messages that the chat does not have: the whole transcript for a new chat. */
  messages: readonly Message[];
  /** The request's messages before them, which the chat has: their calls name the functions of new results. */
  before: readonly Message[];
  /** Empty: the request declares none (any more). */
  tools: readonly Tool[];
  toolChoice: ToolChoice | undefined;
  parallelToolCalls: boolean | undefined;
  /** Undefined for a new chat. */
  state: ToolState | undefined;
  /** The client's names of functions whose whole description is sent again. */
  resendFor?: readonly string[];
  /** The shorter section, after the model took the long one for an injection. */
  isShort?: boolean;
  /** A line in front of the reminder; see `correctionLine`. */
  correction?: string;
  /** Characters beyond which results before the newest ones are clipped. */
  maxOldResultCharacters: number;
};

/** What to send instead of the messages: one user message with text, pictures and files. `state` is saved with the turn. */
export type ToldTurn = { messages: Message[]; state: ToolState; aliases: ToolAliases };

/** Writes a turn's messages with all that the model has to be told of the client's functions. */
export function tellTools(input: ToolPromptInput): ToldTurn {
  const state = input.state ?? createToolState();
  return {
    messages: [...input.messages],
    state,
    aliases: new ToolAliases(input.tools, state.aliases),
  };
}

/** The line that tells the model what was wrong with a call. It quotes at most `limits.quotedCall` characters. */
export function correctionLine({ written, problem }: { written: string; problem: string }): string {
  return `${written}: ${problem}`;
}
