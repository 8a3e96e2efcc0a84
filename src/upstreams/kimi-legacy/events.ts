import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, FinishReason } from "../../core/types.js";
import { asObject, asText, type JsonObject, parseObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { SearchSources } from "../kimi-shared/search-sources.js";
import { type KnownFields, recordUnknownFields } from "../kimi-shared/unknown-fields.js";
import { failureToError } from "./errors.js";

/** The fields of each event that are used or carry nothing (kimi-web.md §1.5). */
const knownEvents: Readonly<Record<string, KnownFields>> = {
  req: { content: true, group_id: true, id: true, refs: true },
  resp: { group_id: true, id: true },
  debug: { message: true },
  search_plus: { msg: { type: true, successNum: true, title: true, url: true } },
  cmpl: { text: true, idx_s: true, idx_z: true, view: true },
  length: {},
  done: {},
  all_done: {},
  ping: {},
  error: {
    error: { error_type: true, message: true, detail: true },
    error_type: true,
    message: true,
    detail: true,
  },
};

/**
 * Interprets one answer (kimi-web.md §1.5): SSE data in, ChatEvents out, no I/O. An answer may take several streams,
 * each of which continues the one before, which Kimi cut to length.
 */
export class LegacyChatInterpreter {
  readonly #drift: ProtocolDrift;
  readonly #sources: SearchSources;
  #segment: string | undefined;
  #length = 0;
  #isCutToLength = false;
  #isDone = false;
  #isComplete = false;
  #isFiltered = false;

  constructor(drift: ProtocolDrift) {
    this.#drift = drift;
    this.#sources = new SearchSources(drift);
  }

  /** True once the current stream has ended properly. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The segment to continue if Kimi cut the answer to length. Sources disagree on the id (kimi-web.md §1.4). */
  get continuationSegment(): string | undefined {
    return this.#isCutToLength ? this.#segment : undefined;
  }

  /** To be called before the next stream of the same answer. */
  startNextStream(): void {
    this.#isCutToLength = this.#isDone = this.#isComplete = false;
  }

  /** Appends the events of SSE data to `out`. False for a heartbeat. Throws the GatewayError of a failed answer. */
  interpret(data: string, out: ChatEvent[]): boolean {
    const event = parseObject(data);
    if (!event) {
      throw new GatewayError(
        "upstream_protocol",
        "Kimi sent an event that is not JSON. Is the base URL really Kimi's?",
      );
    }
    this.#recordUnknownFields(event);
    switch (event.event) {
      case "cmpl":
        this.#emitText(event, out);
        break;
      case "req":
        this.#segment = asText(event.id) ?? this.#segment;
        break;
      case "resp":
        this.#segment ??= asText(event.id);
        break;
      case "search_plus":
        this.#handleSearch(asObject(event.msg) ?? {}, out);
        break;
      case "length":
        this.#isCutToLength = true;
        break;
      case "done":
        this.#isDone = true;
        break;
      case "all_done":
        this.#isComplete = true;
        break;
      case "error":
        this.#handleError(asObject(event.error) ?? event, out);
        break;
      case "ping":
        return false;
      case "debug":
        break;
      default:
        this.#drift.record("event", asText(event.event) ?? "none");
    }
    return true;
  }

  /**
   * To be called when the response ended properly. Without `all_done` the answer counts as complete only after a `done`
   * or `length` event; otherwise throws `upstream_cut`.
   */
  onStreamEnd(): void {
    if (this.#isComplete) return;
    if (!this.#isDone && !this.#isCutToLength) {
      throw new GatewayError(
        "upstream_cut",
        "Kimi ended the stream without saying that the answer is complete.",
      );
    }
    this.#isComplete = true;
    this.#drift.record("event", "no-all_done");
  }

  /** How the answer ended. Throws `upstream_protocol` if it was empty. */
  finishReason(): FinishReason {
    if (this.#isFiltered) return "content-filter";
    if (this.#length === 0)
      throw new GatewayError("upstream_protocol", "Kimi sent an empty answer. Try again.");
    return this.#isCutToLength ? "length" : "stop";
  }

  #recordUnknownFields({ event: name, ...fields }: JsonObject): void {
    const known =
      typeof name === "string" && Object.hasOwn(knownEvents, name) ? knownEvents[name] : undefined;
    if (known) recordUnknownFields(fields, known, { drift: this.#drift, path: String(name) });
  }

  #emitText(event: JsonObject, out: ChatEvent[]): void {
    // An incomplete character at the end of a delta comes as U+FFFD (kimi-web.md §1.5).
    const text = asText(event.text)?.replace(/\ufffd$/, "") ?? "";
    if (text === "") return;
    this.#isDone = false;
    this.#length += text.length;
    if (this.#length > limits.answerText) {
      throw new GatewayError(
        "upstream_protocol",
        `Kimi's answer is longer than ${limits.answerText} characters.`,
      );
    }
    out.push({ type: "text", text });
  }

  /** Kimi does not send its search queries. */
  #handleSearch(message: JsonObject, out: ChatEvent[]): void {
    if (message.type === "start") out.push({ type: "search", queries: [] });
    else if (message.type === "get_res") this.#sources.addResults([message], out);
    else this.#drift.record("event", `search_plus.${asText(message.type) ?? "none"}`);
  }

  /** Text sent before a content filter error is not withdrawn: the answer ends as `content-filter`. */
  #handleError(error: JsonObject, out: ChatEvent[]): void {
    const failure = failureToError(error, this.#drift);
    if (failure.code !== "content_filter" || this.#length === 0) throw failure;
    out.push({ type: "notice", code: "content_filter", message: failure.message });
    this.#isFiltered = this.#isComplete = true;
  }
}
