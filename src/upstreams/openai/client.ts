import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { abortable } from "../../lib/abortable.js";
import { type JsonObject, parseObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import {
  type Answered,
  call,
  type Host,
  host,
  mediaType,
  openAnswer,
  retryAfter,
  shortCall,
} from "../http/client.js";
import { AnswerStream } from "../http/response-stream.js";
import { errorIn, type Service, statusToError } from "./errors.js";

export type ClientOptions = Service & {
  /** With its version: `https://api.moonshot.ai/v1`. */
  baseUrl: string;
  userAgent: string | undefined;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** An OpenAI-compatible service over HTTP. Throws GatewayError and nothing else. */
export class OpenAiClient {
  readonly #service: Service;
  readonly #host: Host;
  readonly #silence: number;
  readonly #headers: Record<string, string>;

  constructor(options: ClientOptions) {
    const { service, upstream, apiKey, baseUrl } = options;
    this.#service = { service, upstream, apiKey };
    this.#host = host(service, baseUrl);
    this.#silence = options.silence;
    this.#headers = {
      "user-agent": options.userAgent ?? `Moonbridge/${version}`,
      "accept-encoding": "identity",
      ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
    };
  }

  async models(signal: AbortSignal): Promise<JsonObject> {
    const asked = { method: "GET", path: "/models", headers: this.#headers, signal } as const;
    return this.#read(await call(this.#host, { ...asked, ...shortCall }));
  }

  /** Opens the stream of one answer; the caller must close it. */
  async stream(body: JsonObject, signal: AbortSignal): Promise<AnswerStream> {
    const patience = { headersTimeout: this.#silence, silence: this.#silence };
    const completion = { ...this.#completion(body, signal), ...patience };
    const answer = await openAnswer(this.#host, completion, "text/event-stream");
    if (answer instanceof AnswerStream) return answer;
    this.#read(answer);
    throw new GatewayError(
      "upstream_protocol",
      `${this.#service.service} answered with no stream of events.`,
    );
  }

  /** One whole answer, read and exactly as it came. Its status line may come as late as its end. */
  async whole(asked: JsonObject, signal: AbortSignal): Promise<{ body: JsonObject; json: string }> {
    const timeouts = { headersTimeout: limits.answer, bodyTimeout: this.#silence };
    const completion = { ...this.#completion(asked, signal), ...timeouts };
    // A request that waits for a connection hears its signal only when it gets one; whoever waits for it need not.
    const answer = await abortable(call(this.#host, completion, limits.answerText), signal);
    return { body: this.#read(answer), json: answer.body };
  }

  async close(): Promise<void> {
    await this.#host.pool.destroy();
  }

  #completion(body: JsonObject, signal: AbortSignal) {
    const headers = { ...this.#headers, "content-type": "application/json" };
    const path = "/chat/completions";
    return { method: "POST", path, headers, body: JSON.stringify(body), signal } as const;
  }

  /** The JSON of an answer, which may be an error even with status 200. */
  #read({ status, headers, body: json }: Answered): JsonObject {
    const body = parseObject(json);
    if (status !== 200) {
      throw statusToError(this.#service, status, body, retryAfter(headers["retry-after"]));
    }
    if (!body) {
      throw new GatewayError(
        "upstream_protocol",
        `${this.#service.service} answered with “${mediaType(headers["content-type"])}” instead of JSON. Check baseUrl.`,
      );
    }
    const error = errorIn(this.#service, body);
    if (error) throw error;
    return body;
  }
}
