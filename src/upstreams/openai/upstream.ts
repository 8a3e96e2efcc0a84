import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type {
  AccountStatus,
  ChatEvent,
  ChatRequest,
  EventSink,
  Feature,
  Model,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import { hash } from "../../lib/hash.js";
import type { JsonObject } from "../../lib/json.js";
import { EventDecoder } from "../http/sse-decoder.js";
import { AnswerTeller, readPieces } from "../http/stream-pump.js";
import { Catalogue } from "../model-catalogue.js";
import { AnswerReader } from "./answer.js";
import { type Preset, readModels } from "./catalogue.js";
import { OpenAiClient } from "./client.js";
import { type Service, toolChoiceConflict } from "./errors.js";
import { type Inline, withInlinePictures } from "./inline-images.js";
import { leftOut, moonshotBody, refuseFiles } from "./moonshot.js";
import { completionBody, streamed, whole } from "./request.js";
import { searching } from "./search.js";

export type OpenAiOptions = {
  name: string;
  /** With its version: `https://api.moonshot.ai/v1`. */
  baseUrl: string;
  apiKey?: string;
  /** Default: what the host is. */
  preset?: Preset;
  defaultModel?: string;
  models?: string[];
  userAgent?: string;
};

export type OpenAiSurroundings = {
  /** Milliseconds of silence, and of comments alone, after which an answer is given up. */
  patience?: { silence: number; progress: number };
  inline?: Inline;
};

/**
 * Any service that speaks OpenAI's chat completions: the official Moonshot platform, whose gateway has rules of its
 * own (moonshot-platform.md F), or an engine that serves Kimi's open weights, to which a request goes as it is.
 */
export class OpenAiUpstream implements Upstream {
  readonly kind = "openai";
  readonly simulated = false;
  readonly chatStructure = "none";
  readonly features: ReadonlySet<Feature> = new Set([
    "sampling",
    "max-tokens",
    "stop",
    "tools",
    "output-format",
    "logprobs",
    "unknown",
  ]);
  readonly name: string;
  readonly #preset: Preset;
  readonly #service: Service;
  readonly #client: OpenAiClient;
  readonly #catalogue: Catalogue<Model>;
  readonly #account: string;
  readonly #patience: { silence: number; progress: number };
  readonly #inline: Inline | undefined;
  #refusal: GatewayError | undefined;

  constructor(options: OpenAiOptions, surroundings: OpenAiSurroundings = {}) {
    const { name, baseUrl, apiKey, defaultModel, models, userAgent } = options;
    this.name = name;
    this.#preset = options.preset ?? presetOf(baseUrl);
    const service = this.#preset === "moonshot" ? "The Moonshot platform" : `The service of “${name}”`;
    this.#service = { service, upstream: name, apiKey };
    const { silence, progress } = surroundings.patience ?? {
      silence: limits.upstreamProgress,
      progress: limits.upstreamProgress,
    };
    this.#patience = { silence, progress };
    this.#client = new OpenAiClient({ ...this.#service, baseUrl, userAgent, silence });
    const read = (answer: JsonObject) => readModels(answer, { preset: this.#preset, defaultModel, models });
    this.#catalogue = new Catalogue(
      async (signal) => read(await this.#noted(this.#client.models(signal))),
      models ? read({}) : [],
    );
    this.#account = hash(baseUrl, apiKey ?? "");
    this.#inline = surroundings.inline;
  }

  async models(): Promise<Model[]> {
    return [...(await this.#catalogue.models())];
  }

  ignoredParameters(request: ChatRequest, model: Model): string[] {
    const body = request.originalRequest?.body ?? request.sampling ?? {};
    if (this.#preset === "generic") return body.use_search === true ? ["use_search"] : [];
    return leftOut(body, { model, thinking: request.thinking, search: request.search === true });
  }

  async chat(request: UpstreamRequest, tell: EventSink, signal: AbortSignal): Promise<void> {
    const body = await this.#body(request, signal);
    if (this.#preset === "moonshot" && request.search) {
      await searching(
        (asked, hear) => this.#streamed(asked, { verbatim: false, tell: hear, signal }),
        body,
        tell,
      );
    } else if (request.originalRequest && !request.stream) {
      await tell(await this.#whole(body, signal));
    } else {
      await this.#streamed(body, { verbatim: request.originalRequest !== undefined, tell, signal });
    }
  }

  accountId(): string {
    return this.#account;
  }

  status(): AccountStatus {
    const refusal = this.#refusal;
    if (refusal) return { state: "login required", detail: refusal.message };
    return { state: "ok", detail: `${this.#service.service} has refused nothing so far.` };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #body(request: UpstreamRequest, signal: AbortSignal): Promise<JsonObject> {
    const body = completionBody(request);
    if (this.#preset === "generic") return body;
    refuseFiles(request.messages);
    const adapted = moonshotBody(body, request);
    return { ...adapted, messages: await withInlinePictures(adapted.messages, this.#inline, signal) };
  }

  /** One answer as a stream. However it is left before its end, the connection is cut: that stops the service. */
  async #streamed(
    body: JsonObject,
    { verbatim, tell, signal }: { verbatim: boolean; tell: EventSink; signal: AbortSignal },
  ): Promise<void> {
    const send = (asked: JsonObject) => this.#client.stream(asked, signal);
    const { answer: stream, notices } = await this.#ask(streamed(body), send);
    const { service } = this.#service;
    const { progress } = this.#patience;
    const decoder = new EventDecoder(limits.upstreamLine, service);
    const answer = new AnswerReader(this.#service, verbatim);
    try {
      if (notices.length > 0) await tell(notices);
      await stream.read(new AnswerTeller(decoder, answer, { tell, service, progress }));
      if (!answer.ended) await tell(this.#lastWords(decoder, answer));
    } finally {
      stream.close(answer.ended);
    }
  }

  /** What breaks off inside an event says nothing; only a last `[DONE]` may do without its blank line. */
  #lastWords(decoder: EventDecoder, answer: AnswerReader): readonly ChatEvent[] {
    const events: ChatEvent[] = [];
    decoder.end();
    try {
      readPieces(decoder, answer, events);
    } catch {
      // An event that was cut in two makes no sense.
    }
    if (answer.ended) return events;
    throw new GatewayError("upstream_cut", `${this.#service.service} broke off in the middle of the answer.`);
  }

  async #whole(body: JsonObject, signal: AbortSignal): Promise<readonly ChatEvent[]> {
    const { answer, notices } = await this.#ask(whole(body), (asked) => this.#client.whole(asked, signal));
    return [...notices, ...new AnswerReader(this.#service, true).readWhole(answer.body, answer.json)];
  }

  /** Sends a request, and once more where a forced call is what the service minds (moonshot-platform.md A.6.2). */
  async #ask<T>(
    body: JsonObject,
    send: (body: JsonObject) => Promise<T>,
  ): Promise<{ answer: T; notices: ChatEvent[] }> {
    try {
      return { answer: await this.#noted(send(body)), notices: [] };
    } catch (error) {
      if (!(error instanceof GatewayError) || error.upstreamCode !== toolChoiceConflict) throw error;
      return { answer: await this.#noted(send({ ...body, tool_choice: "auto" })), notices: [unforced] };
    }
  }

  /** Remembers whether the service took the key. */
  async #noted<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      this.#refusal = undefined;
      return answer;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "account_login_required") this.#refusal = error;
      throw error;
    }
  }
}

const unforced: ChatEvent = {
  type: "notice",
  code: "tool_choice_auto",
  message: "This model thinks and cannot be made to call a function; it was asked with tool_choice auto.",
};

function presetOf(baseUrl: string): Preset {
  return /(^|\.)moonshot\.(ai|cn)$/.test(new URL(baseUrl).hostname) ? "moonshot" : "generic";
}
