import OpenAI from "openai";
import type { Simulator } from "../../simulator/index.js";
import { apiKey, type Gateway } from "../gateway.js";

type ChatMessage = OpenAI.ChatCompletionMessageParam;
type JsonObject = Record<string, unknown>;

/** A conversation as a chat UI has it: keeps the history and sends all of it with each message. */
export class Dialogue {
  readonly history: ChatMessage[] = [];
  readonly #client: OpenAI;
  readonly #model: string;

  constructor(gateway: Gateway, { key = apiKey, model = "kimi" } = {}) {
    this.#client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    this.#model = model;
  }

  /** Sends a user message and returns the answer; both are added to the history. */
  async send(content: string, parameters: JsonObject = {}): Promise<string> {
    this.history.push({ role: "user", content });
    const answer = await this.#client.chat.completions.create({
      model: this.#model,
      messages: this.history,
      ...parameters,
    });
    const text = answer.choices[0]?.message.content ?? "";
    this.history.push({ role: "assistant", content: text });
    return text;
  }

  /** Removes everything from the n-th user message on, counted from 0. */
  rewindTo(turn: number): void {
    const users = this.history.flatMap(({ role }, index) => (role === "user" ? [index] : []));
    this.history.length = users[turn] ?? this.history.length;
  }

  /** The user's messages, oldest first. */
  userMessages(): string[] {
    return this.history.flatMap(({ role, content }) => (role === "user" ? [String(content)] : []));
  }
}

export type SentTurn = {
  chatId: string | undefined;
  parentId: string | undefined;
  text: string;
  bytes: number;
};

/** The chat requests that the simulator has received, in order. */
export function sentTurns({ simulator }: Gateway): SentTurn[] {
  return simulator.calls.filter(({ path }) => path.endsWith("/Chat")).map(({ body }) => parseSentTurn(body));
}

function parseSentTurn(body: unknown): SentTurn {
  const request = record(body);
  const message = record(request.message);
  const [block] = Array.isArray(message.blocks) ? message.blocks : [];
  return {
    chatId: string(request.chat_id),
    parentId: string(message.parent_id),
    text: string(record(record(block).text).content) ?? "",
    bytes: Buffer.byteLength(JSON.stringify(body)),
  };
}

/** Calls the simulator as Kimi's own site does. */
export async function callKimi(simulator: Simulator, method: string, body: JsonObject): Promise<JsonObject> {
  const { accessToken } = simulator.issue();
  const response = await fetch(`${simulator.url}/apiv2/${method}`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return record(await response.json());
}

/** The ids of the chats that exist on the simulator. */
export async function listKimiChats(simulator: Simulator): Promise<string[]> {
  const { chats } = await callKimi(simulator, "kimi.gateway.chat.v1.ChatService/ListChats", {
    page_size: 1_000,
  });
  return Array.isArray(chats) ? chats.map((chat) => string(record(chat).id) ?? "") : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
