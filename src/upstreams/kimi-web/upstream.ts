import { AccountCapabilities } from "../../accounts/account-capabilities.js";
import { GatewayError } from "../../core/errors.js";
import { type KimiSite, kimiSite, kimiSiteFromToken } from "../../core/kimi-site.js";
import { limits } from "../../core/limits.js";
import { textOf } from "../../core/message-content.js";
import type { TokenPair } from "../../core/token.js";
import type {
  AccountStatus,
  ChatEvent,
  EventSink,
  Feature,
  FileContent,
  Model,
  Quota,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { IdleTimeouts, UpstreamContext } from "../context.js";
import type { ResponseStream } from "../http/response-stream.js";
import { StreamPump } from "../http/stream-pump.js";
import { answerTimeouts, KimiAccount } from "../kimi-shared/account.js";
import { withContextLength } from "../kimi-shared/settings.js";
import { ModelCatalogue } from "../model-catalogue.js";
import { KimiClient } from "./client.js";
import { CutAnswer } from "./cut-answer.js";
import { sentTurn } from "./echo.js";
import { EnvelopeDecoder } from "./envelope.js";
import { isInvalidArgument, isRejectedAccessToken } from "./errors.js";
import { ChatInterpreter, type InterpreterOptions } from "./events.js";
import { MemoryNotice } from "./memory-notice.js";
import { builtInModels, fetchModels, type KimiModel } from "./models.js";
import { fetchQuota } from "./quota.js";
import { chatRequestBody, isLongTurn, newChatIdOf } from "./request.js";
import { type UnaryCall, withSourceLookup } from "./source-lookup.js";
import { createTokenRefresher } from "./token-refresher.js";
import { uploadFile } from "./upload.js";
import { fetchCurrentUser } from "./verify-credentials.js";

export type KimiWebOptions = {
  name: string;
  /** Default: the site that the tokens were issued for, kimi.com or kimi.ai. */
  baseUrl?: string;
  authUrl?: string;
  userAgent?: string;
  siteVersion?: string;
  /** In tokens; default: what is known of the models. */
  contextLength?: number;
  tokens: TokenPair;
};

/** The calls of one account as they are, for what is measured (probe/). Each rejects with GatewayError. */
export type KimiCalls = {
  call: UnaryCall;
  openChat(body: string, signal: AbortSignal): Promise<ResponseStream>;
  /** A GET request to the site's legacy API. */
  getLegacy(path: string, signal: AbortSignal): Promise<JsonObject>;
};

/** Kimi's web chat with one person's account, over its Connect protocol (kimi-web.md §2). */
export class KimiWeb implements Upstream {
  readonly kind = "kimi-web";
  readonly simulated = false;
  /** The web chat has no sampling, no limits and no functions (kimi-web.md §2.4). */
  readonly features: ReadonlySet<Feature> = new Set(["conversation", "thinking", "search"]);
  readonly name: string;
  readonly capabilities: AccountCapabilities;
  readonly #contextLength: number | undefined;
  readonly #client: KimiClient;
  readonly #account: KimiAccount;
  readonly #catalogue: ModelCatalogue<KimiModel>;
  readonly #timeouts: IdleTimeouts;
  readonly #drift: ProtocolDrift;
  readonly #memoryNotice = new MemoryNotice();
  readonly #warn: UpstreamContext["warn"];
  readonly #onCutAnswer: UpstreamContext["onCutAnswer"];

  private constructor(
    { name, contextLength }: KimiWebOptions,
    client: KimiClient,
    { account, capabilities }: { account: KimiAccount; capabilities: AccountCapabilities },
    timeouts: IdleTimeouts,
    context: UpstreamContext,
  ) {
    this.name = name;
    this.capabilities = capabilities;
    this.#contextLength = contextLength;
    this.#timeouts = timeouts;
    this.#client = client;
    this.#account = account;
    this.#drift = context.drift;
    this.#warn = context.warn;
    this.#onCutAnswer = context.onCutAnswer;
    this.#catalogue = new ModelCatalogue(
      (signal) => account.call(signal, (token) => fetchModels(client, token, this.#drift, signal)),
      builtInModels,
    );
  }

  /** Opens the account. Sends no request yet. */
  static async open(options: KimiWebOptions, context: UpstreamContext): Promise<KimiWeb> {
    const site = siteForTokens(options.tokens, options);
    const timeouts = answerTimeouts(context);
    const { userAgent, siteVersion } = options;
    const client = new KimiClient(
      {
        ...site,
        idleTimeout: timeouts.idle,
        ...(userAgent ? { userAgent } : {}),
        ...(siteVersion ? { siteVersion } : {}),
      },
      context.drift,
      context,
    );
    const protocol = { refresh: createTokenRefresher(client), isRejection: isRejectedAccessToken };
    const account = await KimiAccount.open(options, protocol, context);
    const capabilities = await AccountCapabilities.open({
      accountId: () => account.accountId(),
      store: context.store.capabilities,
      onContradicted: (name) => context.drift.record("capability", name),
      warn: context.warn,
    });
    return new KimiWeb(options, client, { account, capabilities }, timeouts, context);
  }

  get calls(): KimiCalls {
    const [account, client] = [this.#account, this.#client];
    return {
      call: (method, body, signal) =>
        account.call(signal, (token) => client.call(method, body, token, signal)),
      openChat: (body, signal) => account.call(signal, (token) => client.openChat(body, token, signal)),
      getLegacy: (path, signal) => account.call(signal, (token) => client.getLegacy(path, token, signal)),
    };
  }

  /** A tree, unless this account's chats are known to continue at their end only. */
  get chatStructure(): "tree" | "line" {
    return this.capabilities.has("old-parent") ? "tree" : "line";
  }

  async models(): Promise<Model[]> {
    const models = await this.#catalogue.models();
    return models.map((model) => withContextLength(model, this.#contextLength));
  }

  usesBuiltInModels(): boolean {
    return !this.#catalogue.isLive;
  }

  /**
   * If Kimi rejects the access token, refreshes it once and repeats the turn; after content was emitted throws
   * `upstream_cut` instead. Likewise repeats it with the other form of a new chat's id if an agent's first request is an
   * invalid argument (kimi-web.md §6 #10, #23).
   */
  async chat(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void> {
    const model = await this.#getModel(request.model.id);
    const minimumLifetime = isLongTurn(request, model) ? limits.longTurnToken : 0;
    let token = await this.#account.accessToken(signal, minimumLifetime);
    let newChatId = newChatIdOf(model);
    let canChangeChatId = model.agent && !request.continueFrom;
    let canRefresh = true;
    let hasContent = false;
    const trackingSink: EventSink = (events) => {
      if (!hasContent) {
        this.#account.confirm(token);
        hasContent = events.some(({ type }) => type !== "chat-opened" && type !== "notice");
      }
      return sink(events);
    };
    for (;;) {
      try {
        const body = chatRequestBody(request, model, newChatId);
        const options = { continued: sentTurn(request), stream: request.stream };
        return await this.#streamAnswer(body, options, { token, sink: trackingSink, signal });
      } catch (error) {
        if (isRefusedLongPrompt(error, request)) this.capabilities.contradict("long-prompt");
        if (canRefresh && this.#account.isRejection(error)) {
          canRefresh = false;
          if (hasContent) await this.#account.replaceAndFail(token, signal);
          token = await this.#account.replace(token, signal);
        } else if (hasContent) throw error;
        else if (canChangeChatId && isInvalidArgument(error)) {
          canChangeChatId = false;
          newChatId = newChatId === "empty" ? "absent" : "empty";
        } else throw error;
      }
    }
  }

  accountId(): string {
    return this.#account.accountId();
  }

  firstName(): string | undefined {
    return this.#account.firstName();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    const parseTimeout = this.#timeouts.parse ?? limits.fileParse;
    return this.#account.call(signal, (token) =>
      uploadFile(this.#client, file, { token, parseTimeout, signal }),
    );
  }

  /** Deletes a chat (kimi-web.md §2.10). */
  async deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    await this.#account.call(signal, (token) =>
      this.#client.call("kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat }, token, signal),
    );
  }

  status(): AccountStatus {
    return this.#account.status();
  }

  async currentUser(signal: AbortSignal): Promise<string> {
    const { id } = await this.#account.call(signal, (token) => fetchCurrentUser(this.#client, token, signal));
    return id;
  }

  quota(signal: AbortSignal): Promise<Quota[]> {
    return this.#account.call(signal, (token) => fetchQuota(this.#client, token, signal));
  }

  async close(): Promise<void> {
    this.capabilities.close();
    await this.#account.close();
    await this.#client.close();
  }

  /**
   * One `Chat` call, whose rest is fetched if its stream is cut. If it ends early for any reason, sends Kimi a request to
   * stop generating.
   */
  async #streamAnswer(
    body: string,
    options: InterpreterOptions,
    { token, sink, signal }: { token: string; sink: EventSink; signal: AbortSignal },
  ): Promise<void> {
    const stream = await this.#client.openChat(body, token, signal);
    const interpreter = new ChatInterpreter(this.#drift, {
      ...options,
      memoryNotice: this.#memoryNotice,
      capabilities: this.capabilities,
    });
    const { progress } = this.#timeouts;
    const decoder = new EnvelopeDecoder(limits.envelope);
    const { call } = this.calls;
    const isPossible = this.capabilities.has("tool-blocks");
    const lookupSink = withSourceLookup(interpreter, { call, drift: this.#drift, isPossible, sink, signal });
    try {
      const output = { sink: lookupSink, service: "Kimi", progress };
      await stream.pipeTo(new StreamPump(decoder, interpreter, output));
      const lastEvents: ChatEvent[] = [];
      interpreter.onStreamEnd(lastEvents);
      if (lastEvents.length > 0) await lookupSink(lastEvents);
    } catch (error) {
      const cutAnswer = new CutAnswer(interpreter, { call, sink: lookupSink, signal });
      if (!this.#mayFetch(cutAnswer, error)) throw error;
      // A connection on which nothing comes any more may be open.
      if (!interpreter.hasEnded) stream.close(false);
      const outcome = await cutAnswer.fetch(this.#timeouts.cutAnswer ?? limits.cutAnswer);
      this.#onCutAnswer?.(outcome);
      if (outcome !== "fetched") throw error;
    } finally {
      stream.close(interpreter.hasEnded);
      if (interpreter.cancelTarget) this.#cancel(interpreter.cancelTarget, token);
    }
  }

  /** An answer that was rejected before its first word is asked for again, with a new token. */
  #mayFetch(cutAnswer: CutAnswer, error: unknown): boolean {
    if (!this.capabilities.has("readable-after-cut")) return false;
    return this.#account.isRejection(error) ? cutAnswer.hasBegun : cutAnswer.isCutBy(error);
  }

  /** Requests Kimi to stop generating, without waiting for the response (kimi-web.md §2.7). */
  #cancel(target: { chat: string; message: string }, token: string): void {
    const body = { chat_id: target.chat, message_id: target.message };
    const method = "kimi.gateway.chat.v1.ChatService/CancelChat";
    this.#client.call(method, body, token, AbortSignal.timeout(limits.unary)).catch((error: unknown) => {
      this.#warn("Kimi could not be told to stop an answer", error);
    });
  }

  async #getModel(id: string): Promise<KimiModel> {
    const model = (await this.#catalogue.models()).find((candidate) => candidate.id === id);
    if (model) return model;
    throw new GatewayError(
      "model_not_found",
      `Kimi no longer offers the model ${id}. GET /v1/models lists what it does.`,
      {
        param: "model",
      },
    );
  }
}

/** Whether a prompt beyond the ordinary length is refused for its length; a chat's own length is another matter. */
function isRefusedLongPrompt(error: unknown, { continueFrom, messages }: UpstreamRequest): boolean {
  if (!(error instanceof GatewayError) || error.code !== "context_length_exceeded" || continueFrom)
    return false;
  return textOf(messages.flatMap(({ content }) => content)).length > limits.promptText;
}

/** The hosts of an account: those of the site that its tokens were issued for, unless overridden. */
export function siteForTokens(
  { accessToken, refreshToken }: TokenPair,
  overrides: Partial<KimiSite>,
): KimiSite {
  const site = kimiSiteFromToken(refreshToken ?? "") ?? kimiSiteFromToken(accessToken ?? "");
  return kimiSite(site ?? "kimi.com", overrides);
}
