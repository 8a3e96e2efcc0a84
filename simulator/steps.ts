import type { ErrorFields } from "./errors.js";
import type { JsonObject } from "./json.js";

/** A result of a `search` step. */
export type Source = { title: string; url: string; snippet: string; publishTime?: string };

/**
 * Where the results of a search are: in the stream, or to be requested, all with their tool block (GetToolBlock) or each by
 * its reference in the stream (GetSearchCitation; kimi-web.md §6 row 16).
 */
export type SourcePlace = "stream" | "tool-block" | "citations";

/** The position in an answer, passed to a function that builds a raw frame. `block` is the id of the next block. */
export type StreamPosition = { chatId: string; messageId: string; eventOffset: number; block: string };

/** A string is split into word-like deltas; each element of an array is one delta. */
export type Content = string | readonly string[];

/** Final status of a message, without Kimi's prefix `MESSAGE_STATUS_`. */
export type MessageStatus = "COMPLETED" | "CANCELLED" | "TRUNCATED" | "ERROR";

/**
 * One step of an answer. Steps are executed in order up to the first ending; those after it are ignored, except after
 * `truncated`: over the legacy protocol they are the continuation of the answer (kimi-web.md §1.4).
 * Without an ending the answer completes. Adjacent `text` (or `think`) steps share one block.
 */
export type Step =
  | { do: "think"; content: Content }
  | { do: "text"; content: Content }
  /** Replaces the content of the open text block. */
  | { do: "rewrite"; content: string }
  /** `sourcesIn`: default the stream. */
  | { do: "search"; queries: readonly string[]; sources: readonly Source[]; sourcesIn?: SourcePlace }
  | {
      do: "exception";
      reason: string;
      severity?: string | undefined;
      message?: string | undefined;
      paywall?: boolean | JsonObject | undefined;
    }
  | { do: "notification"; type: string; message?: string; paywall?: JsonObject }
  | { do: "heartbeat" }
  /** Names the chat; by default after the first characters of the prompt. */
  | { do: "name"; name?: string }
  | { do: "wait"; milliseconds: number }
  /** Changes the pause between deltas for the steps that follow. */
  | { do: "pace"; milliseconds: number }
  /** Any frame; a function receives the position. A frame with the next `eventOffset` advances the offset. */
  | { do: "raw"; frame: JsonObject | ((position: StreamPosition) => JsonObject) }
  /** Bytes as they are, without framing. */
  | { do: "bytes"; bytes: Uint8Array }
  | Ending;

/**
 * A step that ends the answer. `unsent`: what the model writes after the connection was lost, where that does not stop it
 * (the option `afterCut`).
 */
export type Ending =
  /** The regular end: `message.status` (default COMPLETED), `done`, trailer `{}`. */
  | { do: "end"; status?: MessageStatus | undefined }
  /** The regular end with status TRUNCATED. */
  | { do: "truncated" }
  /** The error trailer of kimi-web.md §2.9, before or after `done`. */
  | ({ do: "error-trailer"; afterDone?: boolean | undefined; unsent?: readonly Step[] } & ErrorFields)
  /** Breaks the connection between two frames. */
  | { do: "cut"; unsent?: readonly Step[] }
  /** Breaks the connection inside a frame. */
  | { do: "cut-in-frame"; unsent?: readonly Step[] }
  /** Ends the HTTP response properly, without the 0x02 frame. */
  | { do: "no-trailer"; unsent?: readonly Step[] }
  /** Silence on an open connection until the client disconnects or cancels. */
  | { do: "stall"; unsent?: readonly Step[] }
  /** Heartbeats and nothing else; default one every second. */
  | { do: "stall-heartbeat"; everyMilliseconds?: number | undefined };

/** The step with this name. */
export type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

const endingNames: readonly string[] = [
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
  return endingNames.includes(step.do);
}

/** Splits text into word-like deltas: one or two ideographs, or a word with the space before it. Never splits a code point. */
export function splitDeltas(content: Content): readonly string[] {
  if (typeof content !== "string") return content;
  return content.match(deltaPattern) ?? [];
}

const cjkCharacters =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u3000-\\u303f\\uff00-\\uffef";
const deltaPattern = new RegExp(`[${cjkCharacters}]{1,2}|\\s*[^\\s${cjkCharacters}]{1,12}|\\s+`, "gu");

/** Splits steps after the first `count` deltas, or before the ending if that comes first. */
export function splitAfter(steps: readonly Step[], count: number): [before: Step[], after: Step[]] {
  let remaining = count;
  for (const [index, step] of steps.entries()) {
    if (isEnding(step)) return [steps.slice(0, index), steps.slice(index)];
    if (step.do !== "text" && step.do !== "think") continue;
    const stepDeltas = splitDeltas(step.content);
    if (stepDeltas.length >= remaining) {
      const head = remaining === 0 ? [] : [{ ...step, content: stepDeltas.slice(0, remaining) }];
      const tail = stepDeltas.length === remaining ? [] : [{ ...step, content: stepDeltas.slice(remaining) }];
      return [
        [...steps.slice(0, index), ...head],
        [...tail, ...steps.slice(index + 1)],
      ];
    }
    remaining -= stepDeltas.length;
  }
  return [[...steps], []];
}
