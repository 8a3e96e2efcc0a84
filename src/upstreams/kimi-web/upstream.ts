import { Credentials } from "../../accounts/credentials.js";
import { GatewayError } from "../../core/errors.js";
import { type KimiSite, kimiSite, kimiSiteFromToken } from "../../core/kimi-site.js";
import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import type {
  AccountStatus,
  EventSink,
  Feature,
  FileContent,
  Model,
  Quota,
  Upstream,
  UpstreamRequest,
} from "../../core/types.js";
import type { Drift } from "../../observability/protocol-drift.js";
import type { Patience, UpstreamSurroundings } from "../context.js";
import { AnswerTeller } from "../http/stream-pump.js";
import { Catalogue } from "../model-catalogue.js";
import { builtIn, type KimiModel, loadCatalogue } from "./catalogue.js";
import { KimiClient } from "./client.js";
import { FrameDecoder } from "./envelope.js";
import { isExpiredLogin } from "./errors.js";
import { ChatInterpreter } from "./events.js";
import { loadQuota } from "./quota.js";
import { refreshWith } from "./refresh.js";
import { chatBody } from "./request.js";
import { upload } from "./upload.js";
import { currentUser } from "./verify-login.js";

export type KimiWebOptions = {
  name: string;
  /** Default: the site that the tokens were issued for, kimi.com or kimi.ai. */
  baseUrl?: string;
  authUrl?: string;
  userAgent?: string;
  tokens: TokenPair;
};

/** Kimi's web chat with one person's account, over its Connect protocol (kimi-web.md §2). */
export class KimiWeb implements Upstream {
  readonly kind = "kimi-web";
  readonly chatStructure = "tree";
  readonly simulated = false;
  /** The web chat has no sampling, no limits and no functions (kimi-web.md §2.4). */
  readonly features: ReadonlySet<Feature> = new Set(["conversation"]);
  readonly name: string;
  readonly #client: KimiClient;
  readonly #credentials: Credentials;
  readonly #catalogue: Catalogue<KimiModel>;
  readonly #patience: Patience;
  readonly #drift: Drift;
  readonly #warn: UpstreamSurroundings["warn"];

  private constructor(
    name: string,
    client: KimiClient,
    credentials: Credentials,
    patience: Patience,
    surroundings: UpstreamSurroundings,
  ) {
    this.name = name;
    this.#patience = patience;
    this.#client = client;
    this.#credentials = credentials;
    this.#drift = surroundings.drift;
    this.#warn = surroundings.warn;
    this.#catalogue = new Catalogue(
      (signal) => this.#loggedIn(signal, (token) => loadCatalogue(client, token, this.#drift, signal)),
      builtIn,
    );
  }

  /** Opens the account; asks nothing of Kimi yet. */
  static async open(options: KimiWebOptions, surroundings: UpstreamSurroundings): Promise<KimiWeb> {
    const site = siteFor(options.tokens, options);
    const patience = surroundings.patience ?? {
      silence: limits.upstreamSilence,
      progress: limits.upstreamProgress,
    };
    const { userAgent } = options;
    const client = new KimiClient(
      { ...site, silence: patience.silence, ...(userAgent ? { userAgent } : {}) },
      surroundings.drift,
      surroundings.recorder,
    );
    const credentials = await Credentials.open(options.name, options.tokens, {
      store: surroundings.store,
      renew: refreshWith(client),
      warn: surroundings.warn,
    });
    return new KimiWeb(options.name, client, credentials, patience, surroundings);
  }

  async models(): Promise<Model[]> {
    return [...(await this.#catalogue.models())];
  }

  /** One turn. A login that Kimi refuses is renewed once and the turn repeated, if nothing has been said yet. */
  async chat(request: UpstreamRequest, tell: EventSink, signal: AbortSignal): Promise<void> {
    const model = await this.#wireModel(request.model.id);
    let token = await this.#credentials.accessToken(signal);
    let speaking = false;
    const hear: EventSink = (events) => {
      if (!speaking) {
        void this.#credentials.confirm(token);
        speaking = events.some(({ type }) => type !== "opened" && type !== "notice");
      }
      return tell(events);
    };
    for (let renewed = false; ; renewed = true) {
      try {
        return await this.#answer(request, model, { token, tell: hear, signal });
      } catch (error) {
        if (renewed || speaking || !isExpiredLogin(error)) throw error;
        token = await this.#credentials.replace(token, signal);
      }
    }
  }

  accountId(): string {
    return this.#credentials.account();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    const patience = this.#patience.parse ?? limits.fileParse;
    return this.#loggedIn(signal, (token) => upload(this.#client, file, { token, patience, signal }));
  }

  /** Deletes a chat (kimi-web.md §2.10). */
  async deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    await this.#loggedIn(signal, (token) =>
      this.#client.call("kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat }, token, signal),
    );
  }

  status(): AccountStatus {
    return this.#credentials.status();
  }

  async currentUser(signal: AbortSignal): Promise<string> {
    const { id } = await this.#loggedIn(signal, (token) => currentUser(this.#client, token, signal));
    return id;
  }

  quota(signal: AbortSignal): Promise<Quota[]> {
    return this.#loggedIn(signal, (token) => loadQuota(this.#client, token, signal));
  }

  async close(): Promise<void> {
    await this.#credentials.close();
    await this.#client.close();
  }

  /** One `Chat` call. However it is left before its end, Kimi is told to stop. */
  async #answer(
    request: UpstreamRequest,
    model: KimiModel,
    { token, tell, signal }: { token: string; tell: EventSink; signal: AbortSignal },
  ): Promise<void> {
    const stream = await this.#client.openChat(chatBody(request, model), token, signal);
    const interpreter = new ChatInterpreter(this.#drift, request.continueFrom?.chat);
    const { progress } = this.#patience;
    const decoder = new FrameDecoder(limits.frame);
    try {
      await stream.read(new AnswerTeller(decoder, interpreter, { tell, service: "Kimi", progress }));
      if (!interpreter.ended) {
        throw new GatewayError("upstream_cut", "Kimi's stream ended in the middle of the answer.");
      }
    } finally {
      stream.close(interpreter.ended);
      if (interpreter.running) this.#cancel(interpreter.running, token);
    }
  }

  /** Tells Kimi to stop generating; nobody waits for it (kimi-web.md §2.7). */
  #cancel(running: { chat: string; message: string }, token: string): void {
    const body = { chat_id: running.chat, message_id: running.message };
    const method = "kimi.gateway.chat.v1.ChatService/CancelChat";
    this.#client.call(method, body, token, AbortSignal.timeout(limits.unary)).catch((error: unknown) => {
      this.#warn("Kimi could not be told to stop an answer", error);
    });
  }

  async #wireModel(id: string): Promise<KimiModel> {
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

  /** A short call with a valid login; a refused one is renewed once. */
  #loggedIn<T>(signal: AbortSignal, call: (token: string) => Promise<T>): Promise<T> {
    const confirmed = async (token: string) => {
      const answer = await call(token);
      void this.#credentials.confirm(token);
      return answer;
    };
    return this.#credentials.call(confirmed, isExpiredLogin, signal);
  }
}

/** Where an account is spoken to: the site that its tokens were issued for, unless others are given. */
export function siteFor({ accessToken, refreshToken }: TokenPair, given: Partial<KimiSite>): KimiSite {
  return kimiSite(kimiSiteFromToken(refreshToken ?? accessToken ?? "") ?? "kimi.com", given);
}
