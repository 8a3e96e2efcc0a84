import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type {
  AccountStatus,
  ChatEvent,
  ChatRequest,
  EventSink,
  Feature,
  FetchPicture,
  Model,
  RequestedFeature,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import { hash } from "../../lib/hash.js";
import type { JsonObject } from "../../lib/json.js";
import type { ChooseProxy } from "../../proxy/proxy-rules.js";
import { SseDecoder } from "../http/sse-decoder.js";
import { interpretBuffered, StreamPump } from "../http/stream-pump.js";
import { ModelCatalogue } from "../model-catalogue.js";
import { type CompletionCall, OpenAiClient } from "./client.js";
import { type ServiceIdentity, toolChoiceConflict } from "./errors.js";
import { CompletionInterpreter } from "./events.js";
import { inlineLinkedImages } from "./inline-images.js";
import { type Preset, parseModels } from "./models.js";
import { ignoresParameter, moonshotBody, rejectFiles } from "./moonshot.js";
import { completionBody, omitKeys, toStreamingBody, toWholeBody } from "./request.js";
import { runSearchLoop } from "./search.js";

export type OpenAiOptions = {
  name: string;
  /** With its version: `https://api.moonshot.ai/v1`. */
  baseUrl: string;
  apiKey?: string;
  /** Default: detected by the host. */
  preset?: Preset;
  defaultModel?: string;
  models?: string[];
  userAgent?: string;
};

/** Dependencies of an OpenAI-compatible upstream. */
export type OpenAiContext = {
  /** Timeouts of an answer, in milliseconds: `idle` without a byte, `progress` with nothing but comments. */
  timeouts?: { idle: number; progress: number };
  /** The proxies of its requests; by default none. */
  chooseProxy?: ChooseProxy | undefined;
};

const commonFeatures: readonly Feature[] = [
  "thinking",
  "search",
  "sampling",
  "max-tokens",
  "stop",
  "tools",
  "service-tools",
  "output-format",
  "logprobs",
  "service-settings",
  "unknown",
];

/**
 * A service with OpenAI's chat completions API: the official Moonshot platform, whose gateway has its own rules
 * (moonshot-platform.md F), or an engine that serves Kimi's open weights, which gets requests unchanged.
 */
export class OpenAiUpstream implements Upstream {
  readonly kind = "openai";
  readonly simulated = false;
  readonly chatStructure = "none";
  readonly features: ReadonlySet<Feature>;
  readonly name: string;
  readonly #preset: Preset;
  readonly #service: ServiceIdentity;
  readonly #client: OpenAiClient;
  readonly #catalogue: ModelCatalogue<Model>;
  readonly #account: string;
  readonly #timeouts: { idle: number; progress: number };
  #refusal: GatewayError | undefined;

  constructor(options: OpenAiOptions, context: OpenAiContext = {}) {
    const { name, baseUrl, apiKey, defaultModel, models, userAgent } = options;
    this.name = name;
    this.#preset = options.preset ?? detectPreset(baseUrl);
    this.features = new Set(
      this.#preset === "moonshot" ? commonFeatures : [...commonFeatures, "engine-options"],
    );
    const service = this.#preset === "moonshot" ? "The Moonshot platform" : `The service of “${name}”`;
    this.#service = { service, upstream: name, apiKey };
    const { idle, progress } = context.timeouts ?? {
      idle: limits.upstreamProgress,
      progress: limits.upstreamProgress,
    };
    this.#timeouts = { idle, progress };
    this.#client = new OpenAiClient(
      { ...this.#service, baseUrl, userAgent, idleTimeout: idle },
      { chooseProxy: context.chooseProxy },
    );
    const parseList = (response: JsonObject) =>
      parseModels(response, { preset: this.#preset, defaultModel, models });
    this.#catalogue = new ModelCatalogue(
      async (signal) => parseList(await this.#trackRefusal(this.#client.fetchModels(signal))),
      models ? parseList({}) : [],
    );
    this.#account = hash(baseUrl, apiKey ?? "");
  }

  async models(): Promise<Model[]> {
    return [...(await this.#catalogue.models())];
  }

  ignores(parameter: RequestedFeature, request: ChatRequest, model: Model): boolean {
    // Moonbridge's own parameter, which no service knows.
    if (this.#preset === "generic") return parameter.name === "use_search" && parameter.value === true;
    return ignoresParameter(parameter, {
      model,
      thinking: request.thinking,
      search: request.search === true,
    });
  }

  async prepare(
    request: UpstreamRequest,
    fetchPicture: FetchPicture,
    signal: AbortSignal,
  ): Promise<UpstreamRequest> {
    if (this.#preset === "generic") return request;
    rejectFiles(request.messages);
    return inlineLinkedImages(request, fetchPicture, signal);
  }

  /**
   * If the service refuses a forced call because the model thinks, asks once more without thinking, where the model can
   * and the client did not ask for it (moonshot-platform.md A.6.2).
   */
  async chat(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void> {
    try {
      await this.#answer(request, sink, signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.upstreamCode !== toolChoiceConflict) throw error;
      const canStopThinking = request.thinking === undefined && request.model.thinking.includes("off");
      if (this.#preset !== "moonshot" || !canStopThinking) throw forcedCallError(error);
      await sink([thinkingTurnedOff]);
      await this.#answer({ ...request, thinking: "off" }, sink, signal);
    }
  }

  async #answer(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void> {
    const body = this.#buildBody(request);
    const { trace } = request;
    if (this.#preset === "moonshot" && request.search) {
      await runSearchLoop(
        (roundBody, roundSink) => this.#streamAnswer({ body: roundBody, trace, signal }, false, roundSink),
        body,
        sink,
      );
    } else if (request.originalRequest && !request.stream) {
      await sink(await this.#fetchAnswer({ body, trace, signal }));
    } else {
      await this.#streamAnswer({ body, trace, signal }, request.originalRequest !== undefined, sink);
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

  #buildBody(request: UpstreamRequest): JsonObject {
    const body = completionBody(request);
    if (this.#preset === "generic") return body;
    const accepted = omitKeys(body, request.originalRequest?.engineOptions ?? []);
    return moonshotBody(accepted, { ...request, search: request.search === true });
  }

  /** Streams one answer. If it ends early for any reason, the connection is closed, which stops the service. */
  async #streamAnswer(call: CompletionCall, isVerbatim: boolean, sink: EventSink): Promise<void> {
    const streamed = { ...call, body: toStreamingBody(call.body) };
    const stream = await this.#trackRefusal(this.#client.openCompletion(streamed));
    const { service } = this.#service;
    const { progress } = this.#timeouts;
    const decoder = new SseDecoder(limits.upstreamLine, service);
    const interpreter = new CompletionInterpreter(this.#service, isVerbatim);
    try {
      await stream.pipeTo(new StreamPump(decoder, interpreter, { sink, service, progress }));
      if (!interpreter.isComplete) await sink(this.#interpretRest(decoder, interpreter));
    } finally {
      stream.close(interpreter.isComplete);
    }
  }

  /** Interprets a last `[DONE]` without its blank line. Throws `upstream_cut` for anything else. */
  #interpretRest(decoder: SseDecoder, interpreter: CompletionInterpreter): readonly ChatEvent[] {
    const events: ChatEvent[] = [];
    decoder.end();
    try {
      interpretBuffered(decoder, interpreter, events);
    } catch {
      // The last event was incomplete.
    }
    if (interpreter.isComplete) return events;
    throw new GatewayError("upstream_cut", `${this.#service.service} broke off in the middle of the answer.`);
  }

  async #fetchAnswer(call: CompletionCall): Promise<readonly ChatEvent[]> {
    const whole = { ...call, body: toWholeBody(call.body) };
    const answer = await this.#trackRefusal(this.#client.fetchCompletion(whole));
    return new CompletionInterpreter(this.#service, true).interpretWhole(answer.body, answer.json);
  }

  /** Remembers the error of a refused API key for `status`, until a request succeeds. */
  async #trackRefusal<T>(call: Promise<T>): Promise<T> {
    try {
      const response = await call;
      this.#refusal = undefined;
      return response;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "account_login_required") this.#refusal = error;
      throw error;
    }
  }
}

const thinkingTurnedOff: ChatEvent = {
  type: "notice",
  code: "thinking_off",
  message: "This model can be made to call a function only without thinking, so it was asked without.",
};

function forcedCallError(cause: GatewayError): GatewayError {
  return new GatewayError(
    "invalid_request",
    'tool_choice: this model cannot be made to call a function while it thinks. Set it to "auto", or turn thinking off ' +
      'with "reasoning_effort": "none" if the model can.',
    { param: "tool_choice", upstreamCode: toolChoiceConflict, cause },
  );
}

function detectPreset(baseUrl: string): Preset {
  return /(^|\.)moonshot\.(ai|cn)$/.test(new URL(baseUrl).hostname) ? "moonshot" : "generic";
}
