import type { Tool } from "../../core/types.js";

/** The forms in which models write calls: our own tag, and what they learnt elsewhere. */
const callFamilies = [
  /** `<call-WORD>{"name":…,"arguments":…}</call-WORD>` */
  "own",
  /** `<tool_call>{"name":…,"arguments":…}</tool_call>` */
  "tool-call-tag",
  /** `<function_calls>` and `<invoke name="…">`, with or without a namespace. */
  "function-calls",
  /** `<|tool_calls_section_begin|>`: Kimi K2's own tokens. */
  "k2",
  /** `<|open|>tools<|sep|>`: Kimi K3's own tokens. */
  "k3",
  /** `<tool>{"name":…,"arguments":…}</tool>` */
  "tool-tag",
  /** A line `functions.NAME:0{…}`. */
  "functions-line",
] as const;
export type CallFamily = (typeof callFamilies)[number];

/** What was mended in a call: its JSON, the types of values that the schema wants otherwise, a string that held JSON. */
const callRepairs = ["json", "types", "nested-json"] as const;
export type CallRepair = (typeof callRepairs)[number];

/**
 * Why a call cannot be delivered. `message` is a sentence for the model that says what was wrong; it may contain words of
 * the answer, so it is no text for logs.
 */
export type InvalidCall = {
  kind: "unknown-tool" | "unparsable" | "schema";
  message: string;
};

/** A part of an answer, in its order. */
export type CallPiece =
  | { type: "text"; text: string }
  /** A whole call. `name` is the declared function's; `arguments` is a JSON object as text. */
  | {
      type: "call";
      name: string;
      arguments: string;
      family: CallFamily;
      repairs: readonly CallRepair[];
    }
  /** The beginning of a call in our own tag that is too long to be held; its arguments follow. */
  | { type: "call-start"; name: string; family: "own" }
  /** Further characters of its arguments, at most `limits.toolCallPiece`. */
  | { type: "call-arguments"; text: string }
  | { type: "call-end" }
  /** After `call-start` the JSON broke: nothing can be corrected any more, the answer fails. No piece follows. */
  | { type: "broken-call" }
  /** A call that needs a correction. `text` is what the model wrote, for the case that corrections do not help. */
  | { type: "invalid-call"; text: string; name: string | undefined; problem: InvalidCall }
  /** Something other than a call follows the last call: the plan is complete, and only `discarded` follows. */
  | { type: "complete" }
  /** Characters after the last call that belong to no call. `hasContent`: they are more than white space. */
  | { type: "discarded"; characters: number; hasContent: boolean };

export type CallParserOptions = {
  /** The random word of our own tag: `<call-WORD>`. */
  word: string;
  /** Finds the declared tool that a name means as the model wrote it. */
  resolve(name: string): Tool | undefined;
  /**
   * Whether a call in a foreign form stands word for word in what the model was given to read. By the declared function's
   * name, if it is one, and with the arguments as they were written: marked parameters are texts.
   */
  isQuotation(name: string, canonicalArguments: string): boolean;
};
