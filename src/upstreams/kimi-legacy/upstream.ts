import type { RefreshTokens } from "../../accounts/credentials.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import type {
  AccountStatus,
  EventSink,
  Feature,
  FileContent,
  Model,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import { asText, type JsonObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { IdleTimeouts, UpstreamContext } from "../context.js";
import type { ResponseStream } from "../http/response-stream.js";
import { SseDecoder } from "../http/sse-decoder.js";
import { StreamPump } from "../http/stream-pump.js";
import { answerTimeouts, KimiAccount } from "../kimi-shared/account.js";
import { withContextLength } from "../kimi-shared/settings.js";
import { refreshTokens, webPageError } from "../kimi-shared/token-refresh.js";
import { LegacyClient } from "./client.js";
import { isRejectedAccessToken } from "./errors.js";
import { LegacyChatInterpreter } from "./events.js";
import { findModel, type LegacyModel, models } from "./models.js";
import { completionBody, continuationBody, isLongTurn, newChatBody, usesResearch } from "./request.js";
import { uploadFile } from "./upload.js";

export type KimiLegacyOptions = {
  name: string;
  /** Default: the legacy site. kimi.com answers the same calls (kimi-web.md §1). */
  baseUrl?: string;
  userAgent?: string;
  /** In tokens; default: what is known of the models. */
  contextLength?: number;
  tokens: TokenPair;
};

/**
 * An answer that Kimi sends. `renewToken` refreshes the access token with which it was requested, and throws the error that
 * says so.
 */
type OpenAnswer = { stream: ResponseStream; renewToken: () => Promise<never> };

/** Base URL of the legacy site. */
export const defaultBaseUrl = "https://kimi.moonshot.cn";

/** Kimi's web chat with one person's account, over the legacy REST and event stream protocol (kimi-web.md §1). */
export class KimiLegacy implements Upstream {
  readonly kind = "kimi-legacy";
  readonly chatStructure = "line";
  readonly simulated = false;
  /** No sampling, no limits and no functions (kimi-web.md §1.4). */
  readonly features: ReadonlySet<Feature> = new Set(["conversation", "thinking", "search"]);
  readonly name: string;
  readonly #contextLength: number | undefined;
  readonly #client: LegacyClient;
  readonly #account: KimiAccount;
  readonly #timeouts: IdleTimeouts;
  readonly #drift: ProtocolDrift;
  readonly #warn: UpstreamContext["warn"];

  private constructor(
    { name, contextLength }: KimiLegacyOptions,
    client: LegacyClient,
    account: KimiAccount,
    timeouts: IdleTimeouts,
    { drift, warn }: UpstreamContext,
  ) {
    this.name = name;
    this.#contextLength = contextLength;
    this.#client = client;
    this.#account = account;
    this.#timeouts = timeouts;
    this.#drift = drift;
    this.#warn = warn;
  }

  /** Opens the account. Sends no request yet. */
  static async open(options: KimiLegacyOptions, context: UpstreamContext): Promise<KimiLegacy> {
    const timeouts = answerTimeouts(context);
    const { userAgent, baseUrl = defaultBaseUrl } = options;
    const client = new LegacyClient(
      { baseUrl, idleTimeout: timeouts.idle, ...(userAgent ? { userAgent } : {}) },
      context.drift,
      context,
    );
    const refresh: RefreshTokens = async (refreshToken, signal) => {
      const pair = await refreshTokens(() => client.get("/api/auth/token/refresh", refreshToken, signal));
      if (pair === "page") throw webPageError();
      return pair;
    };
    const account = await KimiAccount.open(options, { refresh, isRejection: isRejectedAccessToken }, context);
    return new KimiLegacy(options, client, account, timeouts, context);
  }

  async models(): Promise<Model[]> {
    return models.map((model) => withContextLength(model, this.#contextLength));
  }

  findModel(name: string): Model | undefined {
    const model = findModel(name);
    return model && withContextLength(model, this.#contextLength);
  }

  /**
   * One turn, in as many streams as its length takes (`limits.continuations`). Their texts join seamlessly. An access token
   * that Kimi rejects during the answer is refreshed, and the error says so: the chat has the question already.
   */
  async chat(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void> {
    const model = getModel(request.model.id);
    if (isLongTurn(request, model)) await this.#account.accessToken(signal, limits.longTurnToken);
    if (usesResearch(request, model)) await this.#checkResearchQuota(signal);
    const chat = request.continueFrom?.chat ?? (await this.#createChat(model, signal));
    await sink([{ type: "chat-opened", chat, message: "" }]);
    const interpreter = new LegacyChatInterpreter(this.#drift);
    await this.#consume(
      await this.#openCompletion(chat, completionBody(request, model), signal),
      interpreter,
      sink,
    );
    for (let streams = 1; streams <= limits.continuations && interpreter.continuationSegment; streams++) {
      const rest = await this.#openContinuation(
        chat,
        continuationBody(interpreter.continuationSegment, model),
        signal,
      );
      if (!rest) break;
      interpreter.startNextStream();
      await this.#consume(rest, interpreter, sink);
    }
    await sink([{ type: "finish", reason: interpreter.finishReason() }]);
  }

  accountId(): string {
    return this.#account.accountId();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    return this.#account.call(signal, (token) => uploadFile(this.#client, file, token, signal));
  }

  /** Deletes a chat (kimi-web.md §1.3). */
  async deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    await this.#account.call(signal, (token) => this.#client.delete(chatPath(chat), token, signal));
  }

  status(): AccountStatus {
    return this.#account.status();
  }

  async close(): Promise<void> {
    await this.#account.close();
    await this.#client.close();
  }

  /**
   * Streams do not report a used-up research quota, so it is checked first (kimi-web.md §1.6). Throws `quota_exceeded`.
   */
  async #checkResearchQuota(signal: AbortSignal): Promise<void> {
    const path = "/api/chat/research/usage";
    const { used, total } = await this.#account.call(signal, (token) =>
      this.#client.get(path, token, signal),
    );
    if (typeof used !== "number" || typeof total !== "number" || used < total) return;
    throw new GatewayError(
      "quota_exceeded",
      `This Kimi account has used up its ${total} researches. They come back when Kimi resets them.`,
      { upstreamCode: "research_usage" },
    );
  }

  /** Not aborted by the client's disconnect: a chat whose id is lost could never be deleted. */
  async #createChat(model: LegacyModel, signal: AbortSignal): Promise<string> {
    const body = newChatBody(model);
    const response = await this.#account.call(signal, (token) =>
      this.#client.post("/api/chat", body, token, AbortSignal.timeout(limits.unary)),
    );
    const id = asText(response.id);
    if (!id) throw new GatewayError("upstream_protocol", "Kimi made a new chat without an id.");
    return id;
  }

  #openCompletion(chat: string, body: JsonObject, signal: AbortSignal): Promise<OpenAnswer> {
    const path = `${chatPath(chat)}/completion/stream`;
    return this.#account.call(signal, async (token) => {
      const stream = await this.#client.openStream(path, body, token, signal);
      return { stream, renewToken: () => this.#account.replaceAndFail(token, signal) };
    });
  }

  /** Opens the stream with the rest of an answer; undefined if Kimi does not continue it. */
  async #openContinuation(
    chat: string,
    body: JsonObject,
    signal: AbortSignal,
  ): Promise<OpenAnswer | undefined> {
    try {
      return await this.#openCompletion(chat, body, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#warn("Kimi did not go on with an answer that it had cut to length", error);
      return undefined;
    }
  }

  /** Reads one stream until Kimi has closed it: before that, Kimi accepts no other on this account. */
  async #consume(
    { stream, renewToken }: OpenAnswer,
    interpreter: LegacyChatInterpreter,
    sink: EventSink,
  ): Promise<void> {
    const decoder = new SseDecoder(limits.sseEventData, "Kimi");
    const { progress } = this.#timeouts;
    try {
      await stream.pipeTo(new StreamPump(decoder, interpreter, { sink, service: "Kimi", progress }));
      interpreter.onStreamEnd();
    } catch (error) {
      if (this.#account.isRejection(error)) await renewToken();
      throw error;
    } finally {
      stream.close(interpreter.isComplete);
      await stream.waitForEnd(limits.upstreamClose);
    }
  }
}

function getModel(id: string): LegacyModel {
  const model = findModel(id);
  if (model) return model;
  throw new GatewayError("model_not_found", `Kimi has no model ${id}.`, { param: "model" });
}

function chatPath(chat: string): string {
  return `/api/chat/${encodeURIComponent(chat)}`;
}
