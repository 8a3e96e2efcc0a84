import type { Dispatcher } from "undici";
import { ChatError } from "../../chat/errors.js";
import { limits } from "../../config/limits.js";
import { type JsonObject, parseObject } from "../../json.js";
import { unlessAborted } from "../../unless-aborted.js";
import { version } from "../../version.js";
import {
  type Host,
  host,
  mediaType,
  ResponseStream,
  readAll,
  request,
  retryAfter,
  shortCall,
} from "../transport.js";
import { errorIn, type Service, statusToError } from "./errors.js";

export type ClientOptions = Service & {
  /** With its version: `https://api.moonshot.ai/v1`. */
  baseUrl: string;
  userAgent: string | undefined;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** An OpenAI-compatible service over HTTP. Throws ChatError and nothing else. */
export class OpenAiClient {
  readonly #service: Service;
  readonly #host: Host;
  readonly #silence: number;
  readonly #headers: Record<string, string>;

  constructor(options: ClientOptions) {
    const { service, upstream, apiKey, baseUrl } = options;
    const connect = { timeout: limits.connect };
    this.#service = { service, upstream, apiKey };
    this.#host = host(service, baseUrl, { connect });
    this.#silence = options.silence;
    this.#headers = {
      "user-agent": options.userAgent ?? `Moonbridge/${version}`,
      "accept-encoding": "identity",
      ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
    };
  }

  async models(signal: AbortSignal): Promise<JsonObject> {
    const asked = { method: "GET", path: "/models", headers: this.#headers, signal } as const;
    const response = await request(this.#host, { ...asked, ...shortCall });
    if (response.statusCode !== 200) throw await this.#refusal(response);
    return this.#parse(response, await readAll(this.#host, response.body));
  }

  /** Opens the stream of one answer; the caller must close it. */
  async stream(body: JsonObject, signal: AbortSignal): Promise<ResponseStream> {
    const response = await this.#ask(body, signal, {
      headersTimeout: this.#silence,
      bodyTimeout: this.#silence,
    });
    if (typeOf(response) === "text/event-stream") return new ResponseStream(this.#host, response.body);
    this.#parse(response, await readAll(this.#host, response.body));
    throw new ChatError("upstream_protocol", `${this.#service.service} answered with no stream of events.`);
  }

  /** One whole answer, read and exactly as it came. Its status line may come as late as its end. */
  async whole(asked: JsonObject, signal: AbortSignal): Promise<{ body: JsonObject; json: string }> {
    const response = await this.#ask(asked, signal, {
      headersTimeout: limits.answer,
      bodyTimeout: this.#silence,
    });
    const json = await readAll(this.#host, response.body, limits.answerText);
    return { body: this.#parse(response, json), json };
  }

  async close(): Promise<void> {
    await this.#host.pool.destroy();
  }

  async #ask(body: JsonObject, signal: AbortSignal, timeouts: Timeouts): Promise<Dispatcher.ResponseData> {
    const sending = request(this.#host, {
      method: "POST",
      path: "/chat/completions",
      headers: { ...this.#headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
      ...timeouts,
    });
    // A request that waits for a connection hears its signal only when it gets one; whoever waits for it need not.
    const response = await unlessAborted(sending, signal);
    if (response.statusCode !== 200) throw await this.#refusal(response);
    return response;
  }

  async #refusal(response: Dispatcher.ResponseData): Promise<ChatError> {
    const body = parseObject(await readAll(this.#host, response.body));
    return statusToError(
      this.#service,
      response.statusCode,
      body,
      retryAfter(response.headers["retry-after"]),
    );
  }

  /** The JSON of an answer with status 200, which may be an error all the same. */
  #parse(response: Dispatcher.ResponseData, json: string): JsonObject {
    const body = parseObject(json);
    if (!body) {
      throw new ChatError(
        "upstream_protocol",
        `${this.#service.service} answered with “${typeOf(response)}” instead of JSON. Check baseUrl.`,
      );
    }
    const error = errorIn(this.#service, body);
    if (error) throw error;
    return body;
  }
}

type Timeouts = { headersTimeout: number; bodyTimeout: number };

function typeOf({ headers }: Dispatcher.ResponseData): string {
  return mediaType(headers["content-type"]);
}
