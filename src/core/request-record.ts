import type { JournalTexts } from "./journal.js";
import type { FinishReason, Usage } from "./types.js";

/**
 * What is noted about a request while it is answered, for the log: names and figures. Fields stay undefined for what did not
 * happen, such as an upstream for a request that was refused before.
 */
export class RequestRecord {
  readonly #startedAt = performance.now();
  /** The API format of the path: `chat`, `responses`, `messages`. */
  dialect: string | undefined;
  /** The upstream that was tried last, and the model there. */
  upstream: string | undefined;
  model: string | undefined;
  /** The request's parameters that the upstream ignores, by the client's names. */
  ignored: readonly string[] = [];
  /** How often an upstream was tried, in all. */
  attempts = 0;
  /** Whether the answer is in a new chat or continues one; undefined where the upstream stores no chats. */
  chat: "new" | "continued" | undefined;
  /** In queues and for a busy conversation, in milliseconds. */
  waitedMs: number | undefined;
  /** From the request to the first visible output of the upstream, in milliseconds. */
  firstOutputMs: number | undefined;
  finish: FinishReason | undefined;
  /** The client's trace, as W3C Trace Context writes its id: 32 hex digits. */
  traceId: string | undefined;
  /** Counts the tokens used so far; undefined if no upstream has accepted the message. */
  readUsage: () => Promise<Usage | undefined> = async () => undefined;
  /** What was said so far, for the journal alone; undefined unless the setting `journal.texts` is on. */
  readTexts: () => JournalTexts | undefined = () => undefined;

  /** Milliseconds since the request came. */
  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** An upstream is tried. */
  recordAttempt(start: { upstream: string; model: string; ignored: readonly string[] }): void {
    this.attempts++;
    this.upstream = start.upstream;
    this.model = start.model;
    this.ignored = start.ignored;
  }

  recordFirstOutput(): void {
    this.firstOutputMs ??= this.elapsedMs;
  }

  /** Adds the time of a wait, however it ends, to `waitedMs`. */
  async timeWait<Result>(wait: Promise<Result>): Promise<Result> {
    const before = performance.now();
    try {
      return await wait;
    } finally {
      this.waitedMs = Math.round((this.waitedMs ?? 0) + performance.now() - before);
    }
  }
}
