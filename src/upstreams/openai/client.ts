import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { TraceContext } from "../../core/types.js";
import { type JsonObject, parseObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import {
  createHost,
  fetchResponse,
  type Host,
  type HostOptions,
  type HttpResponse,
  openStream,
  parseMediaType,
  parseRetryAfter,
  unaryTimeouts,
} from "../http/client.js";
import { describeForeignAnswer, isWebPageResponse } from "../http/foreign-answer.js";
import { ResponseStream } from "../http/response-stream.js";
import { findError, type ServiceIdentity, statusToError } from "./errors.js";

export type OpenAiClientOptions = ServiceIdentity & {
  /** With its version: `https://api.moonshot.ai/v1`. */
  baseUrl: string;
  userAgent: string | undefined;
  /** Milliseconds without a byte after which an answer is aborted. */
  idleTimeout: number;
};

/** One question: its body, the trace that it belongs to, and the signal that stops it. */
export type CompletionCall = { body: JsonObject; trace: TraceContext | undefined; signal: AbortSignal };

/** HTTP client of an OpenAI-compatible service. Throws only GatewayError. */
export class OpenAiClient {
  readonly #service: ServiceIdentity;
  readonly #host: Host;
  readonly #idleTimeout: number;
  readonly #headers: Record<string, string>;

  constructor(options: OpenAiClientOptions, hosts: HostOptions = {}) {
    const { service, upstream, apiKey, baseUrl } = options;
    this.#service = { service, upstream, apiKey };
    this.#host = createHost(service, baseUrl, {}, hosts);
    this.#idleTimeout = options.idleTimeout;
    this.#headers = {
      "user-agent": options.userAgent ?? `Moonbridge/${version}`,
      "accept-encoding": "identity",
      ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
    };
  }

  async fetchModels(signal: AbortSignal): Promise<JsonObject> {
    const request = { method: "GET", path: "/models", headers: this.#headers, signal } as const;
    return this.#parseBody(await fetchResponse(this.#host, { ...request, ...unaryTimeouts }));
  }

  /** Opens the event stream of one answer. The caller must close it. */
  async openCompletion(call: CompletionCall): Promise<ResponseStream> {
    const timeouts = { headersTimeout: this.#idleTimeout, idleTimeout: this.#idleTimeout };
    const request = { ...this.#completionRequest(call), ...timeouts };
    const response = await openStream(this.#host, request, "text/event-stream");
    if (response instanceof ResponseStream) return response;
    this.#parseBody(response);
    throw new GatewayError(
      "upstream_protocol",
      `${this.#service.service} answered with no stream of events.`,
    );
  }

  /** One whole answer: parsed, and as the exact JSON. The service may send the response head only when the answer is done. */
  async fetchCompletion(call: CompletionCall): Promise<{ body: JsonObject; json: string }> {
    const timeouts = { headersTimeout: limits.answer, idleTimeout: this.#idleTimeout };
    const request = { ...this.#completionRequest(call), ...timeouts };
    const response = await fetchResponse(this.#host, request, limits.answerText);
    return { body: this.#parseBody(response), json: response.body };
  }

  async close(): Promise<void> {
    await this.#host.pool.destroy();
  }

  #completionRequest({ body, trace, signal }: CompletionCall) {
    const headers = {
      ...this.#headers,
      "content-type": "application/json",
      ...(trace ? { traceparent: trace.traceparent } : {}),
      ...(trace?.tracestate ? { tracestate: trace.tracestate } : {}),
    };
    const path = "/chat/completions";
    return { method: "POST", path, headers, body: JSON.stringify(body), signal } as const;
  }

  /** A page that refuses is a firewall's: the service refuses in JSON (moonshot-platform.md A.15). */
  #refusalPageError(response: HttpResponse): GatewayError {
    return new GatewayError(
      "upstream_unavailable",
      `${describeForeignAnswer(response)} came in place of an answer of ${this.#service.service}. See whether this network ` +
        "has a sign-in page or a filter, and whether baseUrl is right.",
      { upstreamCode: `http_${response.status}`, retryable: false },
    );
  }

  /** The body of a response. Throws unless it is JSON without an error; errors may come with status 200. */
  #parseBody(response: HttpResponse): JsonObject {
    const { status, headers, body: json } = response;
    const body = parseObject(json);
    if (!body && isRefusalPage(response)) throw this.#refusalPageError(response);
    if (status !== 200) {
      throw statusToError(this.#service, status, body, parseRetryAfter(headers["retry-after"]));
    }
    if (!body) {
      throw new GatewayError(
        "upstream_protocol",
        `${this.#service.service} answered with “${parseMediaType(headers["content-type"])}” instead of JSON. Check baseUrl.`,
      );
    }
    const error = findError(this.#service, body);
    if (error) throw error;
    return body;
  }
}

function isRefusalPage(response: HttpResponse): boolean {
  return [401, 403, 511].includes(response.status) && isWebPageResponse(response);
}
