import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { ConversationStore } from "../../../core/store.js";
import type { ChatEvent } from "../../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn, parseObject } from "../../../lib/json.js";
import { ProtocolDrift } from "../../../observability/protocol-drift.js";
import { StreamPump } from "../../http/stream-pump.js";
import { type Envelope, EnvelopeDecoder, payloadText } from "../envelope.js";
import { ChatInterpreter } from "../events.js";
import { builtInModels, type KimiModel, parseModels } from "../models.js";
import { chatRequestBody, newChatIdOf } from "../request.js";
import type { KimiCalls } from "../upstream.js";

/** A message of a probe. Without a chat it begins one. */
export type ProbeMessage = {
  text: string;
  chat?: string;
  parent?: string;
  thinking?: boolean;
  search?: boolean;
  systemPrompt?: string;
  tools?: readonly JsonObject[];
  /** Ends the answer at its first words: by CancelChat, or by closing the connection alone. */
  stop?: "cancel" | "cut";
};

/** What Kimi answered. `echo`: the user's message as Kimi has repeated it. */
export type ProbeAnswer = {
  chat: string;
  message: string;
  text: string;
  isComplete: boolean;
  echo: { parent: string | undefined; text: string } | undefined;
  toolCallIds: readonly string[];
};

/** The scope of the chats of a probe in the store. */
const probeScope = "probe";

type ProbeStore = Pick<ConversationStore, "saveChat" | "removeChat" | "listDueChats">;

/** `pause`: milliseconds between the starts of two messages. */
export type ProbeChatsOptions = { upstream: string; store: ProbeStore; pause: number };

class FirstWords extends Error {}

/**
 * The chats of one probe. Each is in the store, as due for deletion, as soon as Kimi has named it: a Moonbridge that runs, or the
 * next probe, deletes what a killed one has left. Throws GatewayError.
 */
export class ProbeChats {
  readonly #calls: KimiCalls;
  readonly #options: ProbeChatsOptions;
  readonly #open = new Set<string>();
  #model: KimiModel | undefined;
  #nextStart = 0;

  constructor(calls: KimiCalls, options: ProbeChatsOptions) {
    this.#calls = calls;
    this.#options = options;
  }

  /** The default chat model of the account, which all messages are for. */
  async model(signal: AbortSignal): Promise<KimiModel> {
    if (this.#model) return this.#model;
    const method = "kimi.gateway.config.v1.ConfigService/GetAvailableModels";
    const models = parseModels(await this.#calls.call(method, {}, signal), new ProtocolDrift());
    const [fallback] = builtInModels;
    this.#model = models.find(({ isDefault, agent }) => isDefault && !agent) ?? fallback;
    if (!this.#model) throw new GatewayError("model_not_found", "Kimi lists no model to chat with.");
    return this.#model;
  }

  /** Sends a message after its pause, and reads its answer or its first words. */
  async send(message: ProbeMessage, signal: AbortSignal): Promise<ProbeAnswer> {
    await sleep(Math.max(0, this.#nextStart - performance.now()), undefined, { signal });
    return this.sendAtOnce(message, signal);
  }

  /** The same without a pause. */
  async sendAtOnce(message: ProbeMessage, signal: AbortSignal): Promise<ProbeAnswer> {
    this.#nextStart = performance.now() + this.#options.pause;
    const stream = await this.#calls.openChat(writeBody(message, await this.model(signal)), signal);
    const reader = new ProbeReader((chat) => this.#save(chat));
    const sink = (events: readonly ChatEvent[]) => {
      const hasWords = events.some(({ type }) => type === "text");
      if (message.stop && hasWords && !reader.isComplete) throw new FirstWords();
      return undefined;
    };
    const output = { sink, service: "Kimi", progress: limits.upstreamProgress };
    try {
      await stream.pipeTo(new StreamPump(new EnvelopeDecoder(limits.envelope), reader, output));
      reader.end();
    } catch (error) {
      if (!(error instanceof FirstWords)) throw error;
    } finally {
      stream.close(reader.isComplete);
      await reader.saved;
    }
    const answer = reader.answer();
    if (message.stop === "cancel" && !answer.isComplete) await this.#cancel(answer, signal);
    return answer;
  }

  /** Deletes all chats of this probe. What cannot be deleted stays in the store, as due. */
  async deleteAll(): Promise<void> {
    await Promise.all([...this.#open].map((chat) => this.#delete(chat)));
  }

  /** Deletes what a probe of this account has left that was killed. */
  async deleteAbandoned(): Promise<void> {
    const { store, upstream } = this.#options;
    const due = await store.listDueChats([upstream], Number.MAX_SAFE_INTEGER, limits.probeAbandoned);
    const abandoned = due.filter(({ scope }) => scope === probeScope);
    for (const { chat } of abandoned) await this.#delete(chat);
  }

  async #save(chat: string): Promise<void> {
    this.#open.add(chat);
    await this.#saveUntil(chat, Date.now() + limits.probeChat);
  }

  #saveUntil(chat: string, dueAt: number): Promise<void> {
    const { store, upstream } = this.#options;
    return store.saveChat({ upstream, chat, scope: probeScope, dueAt });
  }

  async #delete(chat: string): Promise<void> {
    const { store, upstream } = this.#options;
    try {
      const signal = AbortSignal.timeout(limits.doctorCleanup);
      await this.#calls.call("kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat }, signal);
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === "not_found"))
        return await this.#saveUntil(chat, Date.now());
    }
    this.#open.delete(chat);
    await store.removeChat(upstream, chat, Date.now());
  }

  async #cancel({ chat, message }: ProbeAnswer, signal: AbortSignal): Promise<void> {
    const body = { chat_id: chat, message_id: message };
    await this.#calls.call("kimi.gateway.chat.v1.ChatService/CancelChat", body, signal);
  }
}

/** Reads an answer as Moonbridge does, and what else a probe must know of its frames. */
class ProbeReader {
  readonly #interpreter = new ChatInterpreter(new ProtocolDrift(), { stream: true });
  readonly #onChat: (chat: string) => Promise<void>;
  readonly #toolCallIds = new Map<string, string>();
  #echo: ProbeAnswer["echo"];
  #text = "";
  saved: Promise<void> = Promise.resolve();
  #chat = "";

  /** `onChat` is called once, when Kimi has named the chat. */
  constructor(onChat: (chat: string) => Promise<void>) {
    this.#onChat = onChat;
  }

  get isComplete(): boolean {
    return this.#interpreter.isComplete;
  }

  interpret(envelope: Envelope, out: ChatEvent[]): boolean {
    if (!envelope.isEndOfStream) this.#look(parseObject(payloadText(envelope)) ?? {});
    const before = out.length;
    try {
      return this.#interpreter.interpret(envelope, out);
    } finally {
      for (const event of out.slice(before)) if (event.type === "text") this.#text += event.text;
    }
  }

  /** To be called when the response has ended. Throws as `ChatInterpreter.onStreamEnd`. */
  end(): void {
    this.#interpreter.onStreamEnd([]);
  }

  answer(): ProbeAnswer {
    const { chat, message } = this.#interpreter.ids;
    return {
      chat,
      message,
      text: this.#text,
      isComplete: this.isComplete,
      echo: this.#echo,
      toolCallIds: [...this.#toolCallIds.values()],
    };
  }

  #look({ chat, message, block }: JsonObject): void {
    const id = asText(asObject(chat)?.id);
    if (id && this.#chat === "") {
      this.#chat = id;
      this.saved = this.#onChat(id);
    }
    const user = asObject(message);
    if (user?.role === "user") {
      const texts = objectsIn(user.blocks).map((each) => asText(asObject(each.text)?.content) ?? "");
      this.#echo = { parent: asText(user.parentId) ?? asText(user.parent_id), text: texts.join("") };
    }
    const toolCallId = asText(asObject(asObject(block)?.tool)?.toolCallId);
    if (toolCallId) this.#toolCallIds.set(asText(asObject(block)?.id) ?? "", toolCallId);
  }
}

/** The JSON of a message, in the form of all messages but for what is measured. */
function writeBody(message: ProbeMessage, model: KimiModel): string {
  const { text, chat, parent, thinking = false, search = false, systemPrompt, tools } = message;
  const request = {
    model,
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text }] }],
    search,
    thinking: thinking ? (model.thinking.find((effort) => effort !== "off") ?? "off") : model.thinking[0],
    stream: true,
  };
  const body = parseObject(chatRequestBody(request, model, newChatIdOf(model))) ?? {};
  return JSON.stringify({
    ...body,
    ...(chat === undefined ? {} : { chat_id: chat }),
    ...(tools === undefined ? {} : { tools }),
    message: { ...asObject(body.message), ...(parent === undefined ? {} : { parent_id: parent }) },
    options: { ...asObject(body.options), ...(systemPrompt === undefined ? {} : { systemPrompt }) },
  });
}
