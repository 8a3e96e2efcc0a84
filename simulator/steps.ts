import type { ErrorShape } from "./errors.js";
import type { JsonObject } from "./json.js";

/** A page found by a search. */
export type Source = { title: string; url: string; snippet: string; publishTime?: string };

/** Where an answer stands; what a raw frame may need to know. `block` is the id the next block would get. */
export type Place = { chatId: string; messageId: string; eventOffset: number; block: string };

/** A string is cut into word-like deltas; an array is sent as it is, one delta each. */
export type Content = string | readonly string[];

export type MessageStatus = "COMPLETED" | "CANCELLED" | "TRUNCATED" | "ERROR";

/**
 * One thing an answer does. Steps play in order; the first ending ends the answer and what follows it is ignored, but
 * for `truncated`: over the legacy protocol the answer can then be continued with it (kimi-web.md §1.4).
 * Without any ending the answer completes. Adjacent `text` (or `think`) steps go on in one block.
 */
export type Step =
  | { do: "think"; content: Content }
  | { do: "text"; content: Content }
  /** Replaces the text block so far. */
  | { do: "rewrite"; content: string }
  | { do: "search"; queries: readonly string[]; sources: readonly Source[] }
  | {
      do: "exception";
      reason: string;
      severity?: string | undefined;
      message?: string | undefined;
      paywall?: boolean | JsonObject | undefined;
    }
  | { do: "notification"; type: string; message?: string; paywall?: JsonObject }
  | { do: "heartbeat" }
  /** Names the chat; without a name, after its first words. */
  | { do: "name"; name?: string }
  | { do: "wait"; milliseconds: number }
  /** Another pace from here on. */
  | { do: "pace"; milliseconds: number }
  /** Any frame; a function is given the place, and the offset counts on if its frame carries one. */
  | { do: "raw"; frame: JsonObject | ((place: Place) => JsonObject) }
  /** Bytes as they are, outside any frame. */
  | { do: "bytes"; bytes: Uint8Array }
  | Ending;

export type Ending =
  /** message.status, done, trailer `{}`. */
  | { do: "end"; status?: MessageStatus | undefined }
  | { do: "truncated" }
  /** The error trailer of kimi-web.md §2.9, before or after `done`. */
  | ({ do: "error-trailer"; afterDone?: boolean | undefined } & ErrorShape)
  /** The socket dies between two frames. */
  | { do: "cut" }
  | { do: "cut-in-frame" }
  /** The HTTP answer ends properly, without the 0x02 frame. */
  | { do: "no-trailer" }
  /** Silence on an open connection, until the client leaves or cancels. */
  | { do: "stall" }
  | { do: "stall-heartbeat"; everyMilliseconds?: number | undefined };

export type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

const endings: readonly string[] = [
  "end",
  "truncated",
  "error-trailer",
  "cut",
  "cut-in-frame",
  "no-trailer",
  "stall",
  "stall-heartbeat",
] satisfies Ending["do"][];

export function isEnding(step: Step): step is Ending {
  return endings.includes(step.do);
}

/** Word-like pieces: one or two ideographs, or a word with the space before it; whole code points only. */
export function deltas(content: Content): readonly string[] {
  if (typeof content !== "string") return content;
  return content.match(pieces) ?? [];
}

const wide =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u3000-\\u303f\\uff00-\\uffef";
const pieces = new RegExp(`[${wide}]{1,2}|\\s*[^\\s${wide}]{1,12}|\\s+`, "gu");

/** The steps up to the first `count` deltas or the ending, and the rest. */
export function splitAfter(steps: readonly Step[], count: number): [before: Step[], after: Step[]] {
  let left = count;
  for (const [index, step] of steps.entries()) {
    if (isEnding(step)) return [steps.slice(0, index), steps.slice(index)];
    if (step.do !== "text" && step.do !== "think") continue;
    const all = deltas(step.content);
    if (all.length >= left) {
      const head = left === 0 ? [] : [{ ...step, content: all.slice(0, left) }];
      const tail = all.length === left ? [] : [{ ...step, content: all.slice(left) }];
      return [
        [...steps.slice(0, index), ...head],
        [...tail, ...steps.slice(index + 1)],
      ];
    }
    left -= all.length;
  }
  return [[...steps], []];
}
