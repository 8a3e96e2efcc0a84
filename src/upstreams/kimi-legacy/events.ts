import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason } from "../../core/types.js";
import { asObject, asText, type JsonObject, parseObject } from "../../lib/json.js";
import type { Drift } from "../../observability/protocol-drift.js";
import { Sources } from "../kimi-shared/search-sources.js";
import { failureToError } from "./errors.js";

/**
 * Interprets the events of one answer (kimi-web.md §1.5): the data of events in, ChatEvents out, no I/O. An answer may
 * come in several streams, each of which continues what the one before had to cut to length.
 */
export class AnswerInterpreter {
  readonly #drift: Drift;
  readonly #sources = new Sources();
  #segment: string | undefined;
  #length = 0;
  #cutToLength = false;
  #done = false;
  #ended = false;
  #filtered = false;

  constructor(drift: Drift) {
    this.#drift = drift;
  }

  /** The stream has said all it had to say. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What to continue, where Kimi has more to say than it could; the sources disagree on the id (kimi-web.md §1.4). */
  get unfinished(): string | undefined {
    return this.#cutToLength ? this.#segment : undefined;
  }

  /** Another stream goes on with the answer. */
  goOn(): void {
    this.#cutToLength = this.#done = this.#ended = false;
  }

  /** Adds what the event means to `out`; true if it was more than a sign of life. Throws what Kimi failed with. */
  read(data: string, out: ChatEvent[]): boolean {
    const event = parseObject(data);
    if (!event) {
      throw new GatewayError(
        "upstream_protocol",
        "Kimi sent an event that is not JSON. Is the base URL really Kimi's?",
      );
    }
    switch (event.event) {
      case "cmpl":
        this.#say(event, out);
        break;
      case "req":
        this.#segment = asText(event.id) ?? this.#segment;
        break;
      case "resp":
        this.#segment ??= asText(event.id);
        break;
      case "search_plus":
        this.#search(asObject(event.msg) ?? {}, out);
        break;
      case "length":
        this.#cutToLength = true;
        break;
      case "done":
        this.#done = true;
        break;
      case "all_done":
        this.#ended = true;
        break;
      case "error":
        this.#fail(asObject(event.error) ?? event, out);
        break;
      case "ping":
        return false;
      case "debug":
        break;
      default:
        this.#drift.note("event", asText(event.event) ?? "none");
    }
    return true;
  }

  /**
   * The connection was closed in good order. Without `all_done` the answer counts as complete only where Kimi had said
   * that it has nothing more to say just now. Throws `upstream_cut`.
   */
  close(): void {
    if (this.#ended) return;
    if (!this.#done && !this.#cutToLength) {
      throw new GatewayError(
        "upstream_cut",
        "Kimi ended the stream without saying that the answer is complete.",
      );
    }
    this.#ended = true;
    this.#drift.note("event", "no-all_done");
  }

  /** How the answer ended. Throws where Kimi said nothing. */
  finishReason(): FinishReason {
    if (this.#filtered) return "content-filter";
    if (this.#length === 0)
      throw new GatewayError("upstream_protocol", "Kimi sent an empty answer. Try again.");
    return this.#cutToLength ? "length" : "stop";
  }

  #say(event: JsonObject, out: ChatEvent[]): void {
    // Half a character at the end of a delta comes as U+FFFD (kimi-web.md §1.5).
    const said = asText(event.text)?.replace(/\ufffd$/, "") ?? "";
    if (said === "") return;
    this.#done = false;
    this.#length += said.length;
    if (this.#length > limits.answerText) {
      throw new GatewayError(
        "upstream_protocol",
        `Kimi's answer is longer than ${limits.answerText} characters.`,
      );
    }
    out.push({ type: "text", text: said });
  }

  /** Kimi does not tell what it searches for. */
  #search(message: JsonObject, out: ChatEvent[]): void {
    if (message.type === "start") out.push({ type: "search", queries: [] });
    else if (message.type === "get_res") this.#sources.read([message], out);
    else this.#drift.note("event", `search_plus.${asText(message.type) ?? "none"}`);
  }

  /** What was said before Kimi's filter struck has left and is not withdrawn. */
  #fail(error: JsonObject, out: ChatEvent[]): void {
    const failure = failureToError(error, this.#drift);
    if (failure.code !== "content_filter" || this.#length === 0) throw failure;
    out.push({ type: "notice", code: "content_filter", message: failure.message });
    this.#filtered = this.#ended = true;
  }
}
