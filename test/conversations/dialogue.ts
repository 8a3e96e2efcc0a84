import OpenAI from "openai";
import type { Simulator } from "../../simulator/index.js";
import { apiKey, type Gateway } from "../gateway.js";

type Said = OpenAI.ChatCompletionMessageParam;
type Extra = Record<string, unknown>;

/** A person's side of a conversation: keeps the history as a UI does and sends all of it each time. */
export class Dialogue {
  readonly history: Said[] = [];
  readonly #client: OpenAI;
  readonly #model: string;

  constructor(gateway: Gateway, { key = apiKey, model = "kimi" } = {}) {
    this.#client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    this.#model = model;
  }

  /** Says something and returns the answer; both join the history. */
  async say(content: string, extra: Extra = {}): Promise<string> {
    this.history.push({ role: "user", content });
    const answer = await this.#client.chat.completions.create({
      model: this.#model,
      messages: this.history,
      ...extra,
    });
    const text = answer.choices[0]?.message.content ?? "";
    this.history.push({ role: "assistant", content: text });
    return text;
  }

  /** Takes back everything from the n-th thing said on (counted from 0). */
  backTo(turn: number): void {
    const users = this.history.flatMap(({ role }, index) => (role === "user" ? [index] : []));
    this.history.length = users[turn] ?? this.history.length;
  }

  /** What the person has said, oldest first. */
  said(): string[] {
    return this.history.flatMap(({ role, content }) => (role === "user" ? [String(content)] : []));
  }
}

export type Sent = { chatId: string | undefined; parentId: string | undefined; text: string; bytes: number };

/** What the simulator was asked, turn by turn. */
export function sent({ simulator }: Gateway): Sent[] {
  return simulator.calls.filter(({ path }) => path.endsWith("/Chat")).map(({ body }) => readSent(body));
}

function readSent(body: unknown): Sent {
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

/** A call to the simulator as the person would make it on Kimi's own site. */
export async function onKimi(simulator: Simulator, method: string, body: Extra): Promise<Extra> {
  const { accessToken } = simulator.issue();
  const response = await fetch(`${simulator.url}/apiv2/${method}`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return record(await response.json());
}

/** The ids of the chats that exist on the simulator. */
export async function chatsOnKimi(simulator: Simulator): Promise<string[]> {
  const { chats } = await onKimi(simulator, "kimi.gateway.chat.v1.ChatService/ListChats", {
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
