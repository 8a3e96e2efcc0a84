import { Credentials, type Surroundings } from "../../accounts/credentials.js";
import { claims, type TokenPair } from "../../accounts/token.js";
import { ChatError } from "../../chat/errors.js";
import type {
  AccountStatus,
  ChatEvent,
  Feature,
  FileBytes,
  Model,
  Upstream,
  UpstreamRequest,
} from "../../chat/types.js";
import { limits } from "../../config/limits.js";
import type { Drift } from "../../observability/drift.js";
import { Answer } from "./answer.js";
import { Catalogue, type KimiModel, loadCatalogue } from "./catalogue.js";
import { KimiClient } from "./client.js";
import { isExpiredLogin } from "./errors.js";
import { ChatInterpreter } from "./events.js";
import { refreshWith } from "./refresh.js";
import { chatBody } from "./request.js";
import { upload } from "./upload.js";

export type KimiWebOptions = {
  name: string;
  /** Default: the site that the tokens were issued for, kimi.com or kimi.ai. */
  baseUrl?: string;
  authUrl?: string;
  userAgent?: string;
  tokens: TokenPair;
};

/** Milliseconds after which an answer is given up: in silence, and with heartbeats but no progress. */
export type Patience = { silence: number; progress: number };

export type KimiWebSurroundings = Pick<Surroundings, "store" | "warn"> & {
  drift: Drift;
  patience?: Patience;
};

/** Kimi's web chat with one person's account, over its Connect protocol (kimi-web.md §2). */
export class KimiWeb implements Upstream {
  readonly kind = "kimi-web";
  readonly simulated = false;
  /** The web chat has no sampling, no limits and no functions (kimi-web.md §2.4). */
  readonly features: ReadonlySet<Feature> = new Set(["conversation"]);
  readonly name: string;
  readonly #client: KimiClient;
  readonly #credentials: Credentials;
  readonly #catalogue: Catalogue;
  readonly #progressPatience: number;
  readonly #drift: Drift;
  readonly #warn: KimiWebSurroundings["warn"];

  private constructor(
    name: string,
    client: KimiClient,
    credentials: Credentials,
    progressPatience: number,
    surroundings: KimiWebSurroundings,
  ) {
    this.name = name;
    this.#progressPatience = progressPatience;
    this.#client = client;
    this.#credentials = credentials;
    this.#drift = surroundings.drift;
    this.#warn = surroundings.warn;
    this.#catalogue = new Catalogue((signal) =>
      this.#loggedIn(signal, (token) => loadCatalogue(client, token, this.#drift, signal)),
    );
  }

  /** Opens the account; asks nothing of Kimi yet. */
  static async open(options: KimiWebOptions, surroundings: KimiWebSurroundings): Promise<KimiWeb> {
    const site = siteOf(options);
    const patience = surroundings.patience ?? {
      silence: limits.upstreamSilence,
      progress: limits.upstreamProgress,
    };
    const { userAgent } = options;
    const client = new KimiClient(
      { ...site, silence: patience.silence, ...(userAgent ? { userAgent } : {}) },
      surroundings.drift,
    );
    const credentials = await Credentials.open(options.name, options.tokens, {
      store: surroundings.store,
      renew: refreshWith(client),
      warn: surroundings.warn,
    });
    return new KimiWeb(options.name, client, credentials, patience.progress, surroundings);
  }

  async models(): Promise<Model[]> {
    return [...(await this.#catalogue.models())];
  }

  /** One turn. A login that Kimi refuses is renewed once and the turn repeated, if nothing has been said yet. */
  async *chat(request: UpstreamRequest, signal: AbortSignal): AsyncGenerator<readonly ChatEvent[]> {
    const body = chatBody(request, await this.#wireModel(request.model.id));
    let token = await this.#credentials.accessToken(signal);
    let speaking = false;
    for (let renewed = false; ; renewed = true) {
      let answer: Answer | undefined;
      try {
        answer = await this.#ask(body, request.continues?.chat, token, signal);
        while (await answer.more()) {
          const events = answer.read();
          if (events.length === 0) continue;
          if (!speaking) {
            void this.#credentials.confirm(token);
            speaking = events.some(({ type }) => type !== "opened" && type !== "notice");
          }
          yield events;
        }
        answer.end();
        return;
      } catch (error) {
        if (renewed || speaking || !isExpiredLogin(error)) throw error;
      } finally {
        this.#close(answer, token);
      }
      token = await this.#credentials.replace(token, signal);
    }
  }

  account(): string {
    return this.#credentials.account();
  }

  upload(file: FileBytes, signal: AbortSignal): Promise<string> {
    return this.#loggedIn(signal, (token) => upload(this.#client, file, token, signal));
  }

  /** Deletes a chat (kimi-web.md §2.10). */
  async forget(chat: string, signal: AbortSignal): Promise<void> {
    await this.#loggedIn(signal, (token) =>
      this.#client.call("kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat }, token, signal),
    );
  }

  status(): AccountStatus {
    return this.#credentials.status();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #ask(body: string, continued: string | undefined, token: string, signal: AbortSignal) {
    const stream = await this.#client.openChat(body, token, signal);
    return new Answer(stream, new ChatInterpreter(this.#drift, continued), this.#progressPatience);
  }

  /** However an answer is left before its end, Kimi is told to stop. */
  #close(answer: Answer | undefined, token: string): void {
    const running = answer?.close();
    if (running) this.#cancel(running, token);
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
    throw new ChatError(
      "model_not_found",
      `Kimi no longer offers the model ${id}. GET /v1/models lists what it does.`,
      {
        param: "model",
      },
    );
  }

  /** A short call with a valid login; a refused one is renewed once. */
  async #loggedIn<T>(signal: AbortSignal, call: (token: string) => Promise<T>): Promise<T> {
    const token = await this.#credentials.accessToken(signal);
    try {
      return await call(token);
    } catch (error) {
      if (!isExpiredLogin(error)) throw error;
      return call(await this.#credentials.replace(token, signal));
    }
  }
}

/** The hosts that belong to the tokens: those for kimi.ai name it as their audience (kimi-web.md §0.1, §2.3). */
function siteOf(options: KimiWebOptions): { baseUrl: string; authUrl: string } {
  const token = options.tokens.refreshToken ?? options.tokens.accessToken ?? "";
  const site = claims(token).audience.includes("kimi.ai") ? "kimi.ai" : "kimi.com";
  const baseUrl = options.baseUrl ?? `https://www.${site}`;
  const host = new URL(baseUrl).hostname;
  const own = /(^|\.)(kimi\.(?:com|ai))$/.exec(host)?.[2];
  return { baseUrl, authUrl: options.authUrl ?? (own ? `https://auth.${own}` : `https://auth.${site}`) };
}
