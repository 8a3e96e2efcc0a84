import { Credentials } from "../../accounts/credentials.js";
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
import type { Drift } from "../../observability/protocol-drift.js";
import type { Patience, UpstreamSurroundings } from "../context.js";
import type { AnswerStream } from "../http/response-stream.js";
import { EventDecoder } from "../http/sse-decoder.js";
import { AnswerTeller } from "../http/stream-pump.js";
import { exchange, pageInstead } from "../kimi-shared/token-refresh.js";
import { LegacyClient } from "./client.js";
import { isExpiredLogin } from "./errors.js";
import { AnswerInterpreter } from "./events.js";
import { type LegacyModel, modelNamed, models } from "./models.js";
import { completionBody, continuationBody, newChatBody, researches } from "./request.js";
import { upload } from "./upload.js";

export type KimiLegacyOptions = {
  name: string;
  /** Default: the site of then. The same calls are answered by kimi.com too (kimi-web.md §1). */
  baseUrl?: string;
  userAgent?: string;
  tokens: TokenPair;
};

/** The site of then. */
export const defaultSite = "https://kimi.moonshot.cn";

/** Kimi's web chat with one person's account, over the REST and event-stream protocol of before (kimi-web.md §1). */
export class KimiLegacy implements Upstream {
  readonly kind = "kimi-legacy";
  readonly chatStructure = "line";
  readonly simulated = false;
  /** No sampling, no limits and no functions (kimi-web.md §1.4). */
  readonly features: ReadonlySet<Feature> = new Set(["conversation"]);
  readonly name: string;
  readonly #client: LegacyClient;
  readonly #credentials: Credentials;
  readonly #patience: Patience;
  readonly #drift: Drift;
  readonly #warn: UpstreamSurroundings["warn"];

  private constructor(
    name: string,
    client: LegacyClient,
    credentials: Credentials,
    patience: Patience,
    { drift, warn }: UpstreamSurroundings,
  ) {
    this.name = name;
    this.#client = client;
    this.#credentials = credentials;
    this.#patience = patience;
    this.#drift = drift;
    this.#warn = warn;
  }

  /** Opens the account; asks nothing of Kimi yet. */
  static async open(options: KimiLegacyOptions, surroundings: UpstreamSurroundings): Promise<KimiLegacy> {
    const patience = surroundings.patience ?? {
      silence: limits.upstreamSilence,
      progress: limits.upstreamProgress,
    };
    const { name, userAgent, baseUrl = defaultSite } = options;
    const client = new LegacyClient(
      { baseUrl, silence: patience.silence, ...(userAgent ? { userAgent } : {}) },
      surroundings.drift,
      surroundings.recorder,
    );
    const credentials = await Credentials.open(name, options.tokens, {
      store: surroundings.store,
      renew: async (refreshToken, signal) => {
        const pair = await exchange(() => client.get("/api/auth/token/refresh", refreshToken, signal));
        if (pair === "page") throw pageInstead();
        return pair;
      },
      warn: surroundings.warn,
    });
    return new KimiLegacy(name, client, credentials, patience, surroundings);
  }

  async models(): Promise<Model[]> {
    return [...models];
  }

  findModel(name: string): Model | undefined {
    return modelNamed(name);
  }

  /** One turn, in as many streams as its length takes; they join without a seam. */
  async chat(request: UpstreamRequest, tell: EventSink, signal: AbortSignal): Promise<void> {
    const model = wireModel(request.model.id);
    if (researches(request, model)) await this.#expectResearch(signal);
    const chat = request.continueFrom?.chat ?? (await this.#newChat(model, signal));
    await tell([{ type: "opened", chat, message: "" }]);
    const interpreter = new AnswerInterpreter(this.#drift);
    await this.#hear(await this.#say(chat, completionBody(request, model), signal), interpreter, tell);
    for (let parts = 1; parts <= limits.continuations && interpreter.unfinished; parts++) {
      const rest = await this.#continue(chat, continuationBody(interpreter.unfinished, model), signal);
      if (!rest) break;
      interpreter.goOn();
      await this.#hear(rest, interpreter, tell);
    }
    await tell([{ type: "finish", reason: interpreter.finishReason() }]);
  }

  accountId(): string {
    return this.#credentials.account();
  }

  upload(file: FileContent, signal: AbortSignal): Promise<string> {
    return this.#loggedIn(signal, (token) => upload(this.#client, file, token, signal));
  }

  /** Deletes a chat (kimi-web.md §1.3). */
  async deleteChat(chat: string, signal: AbortSignal): Promise<void> {
    await this.#loggedIn(signal, (token) => this.#client.delete(chatPath(chat), token, signal));
  }

  status(): AccountStatus {
    return this.#credentials.status();
  }

  async close(): Promise<void> {
    await this.#credentials.close();
    await this.#client.close();
  }

  /** In a stream Kimi does not tell that the quota is used up, so it is asked before (kimi-web.md §1.6). */
  async #expectResearch(signal: AbortSignal): Promise<void> {
    const path = "/api/chat/research/usage";
    const { used, total } = await this.#loggedIn(signal, (token) => this.#client.get(path, token, signal));
    if (typeof used !== "number" || typeof total !== "number" || used < total) return;
    throw new GatewayError(
      "quota_exceeded",
      `This Kimi account has used up its ${total} researches. They come back when Kimi resets them.`,
      { upstreamCode: "research_usage" },
    );
  }

  /** A client that leaves meanwhile does not stop this: of a chat whose id is lost nobody could ever be rid again. */
  async #newChat(model: LegacyModel, signal: AbortSignal): Promise<string> {
    const body = newChatBody(model);
    const answer = await this.#loggedIn(signal, (token) =>
      this.#client.post("/api/chat", body, token, AbortSignal.timeout(limits.unary)),
    );
    const id = asText(answer.id);
    if (!id) throw new GatewayError("upstream_protocol", "Kimi made a new chat without an id.");
    return id;
  }

  #say(chat: string, body: JsonObject, signal: AbortSignal): Promise<AnswerStream> {
    const path = `${chatPath(chat)}/completion/stream`;
    return this.#loggedIn(signal, async (token) => {
      const stream = await this.#client.stream(path, body, token, signal);
      void this.#credentials.confirm(token);
      return stream;
    });
  }

  /** The rest of an answer; undefined where Kimi does not go on, and what was said is all there will be. */
  async #continue(chat: string, body: JsonObject, signal: AbortSignal): Promise<AnswerStream | undefined> {
    try {
      return await this.#say(chat, body, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#warn("Kimi did not go on with an answer that it had cut to length", error);
      return undefined;
    }
  }

  /** One stream, heard until Kimi has closed it too: before that, it takes no other on this account. */
  async #hear(stream: AnswerStream, interpreter: AnswerInterpreter, tell: EventSink): Promise<void> {
    const decoder = new EventDecoder(limits.eventData, "Kimi");
    const { progress } = this.#patience;
    try {
      await stream.read(new AnswerTeller(decoder, interpreter, { tell, service: "Kimi", progress }));
      interpreter.close();
    } finally {
      stream.close(interpreter.ended);
      await stream.gone(limits.lastBytes);
    }
  }

  /** A call with a valid login; a refused one is renewed once. */
  #loggedIn<T>(signal: AbortSignal, call: (token: string) => Promise<T>): Promise<T> {
    return this.#credentials.call(call, isExpiredLogin, signal);
  }
}

function wireModel(id: string): LegacyModel {
  const model = modelNamed(id);
  if (model) return model;
  throw new GatewayError("model_not_found", `Kimi has no model ${id}.`, { param: "model" });
}

function chatPath(chat: string): string {
  return `/api/chat/${encodeURIComponent(chat)}`;
}
