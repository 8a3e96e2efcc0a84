import { gunzipSync } from "node:zlib";
import { request } from "undici";
import type { Simulator } from "../../simulator/index.js";

export type Json = Record<string, unknown>;
export type Frame = { flags: number; length: number; payload: string; json: Json };

const chatPath = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";

/** The body of a Chat request in the site's own spelling (kimi-web.md §5.1). */
export function question(text: string, changes: { top?: Json; message?: Json; options?: Json } = {}): Json {
  return {
    scenario: "SCENARIO_CHAT",
    tools: [],
    message: {
      role: "user",
      blocks: [{ message_id: "", text: { content: text } }],
      scenario: "SCENARIO_CHAT",
      is_goal: false,
      ...changes.message,
    },
    options: {
      thinking: false,
      enable_plugin: false,
      reasoning_effort: "REASONING_EFFORT_NONE",
      model: "k2d6-chat",
      ...changes.options,
    },
    project_id: "",
    ...changes.top,
  };
}

export function wrap(payload: string, flags = 0): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(5);
  header[0] = flags;
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

export type Reply = { status: number; headers: Json; bytes: Buffer; chunks: number; broken: boolean };

/** Posts a Chat request and reads until the connection says no more. */
export async function post(
  simulator: Simulator,
  body: Buffer,
  token: string,
  signal?: AbortSignal,
): Promise<Reply> {
  const response = await request(simulator.url + chatPath, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/connect+json" },
    body,
    ...(signal ? { signal } : {}),
  });
  const chunks: Buffer[] = [];
  let broken = false;
  try {
    for await (const chunk of response.body) chunks.push(chunk);
  } catch {
    broken = true;
  }
  const { statusCode: status, headers } = response;
  return { status, headers, bytes: Buffer.concat(chunks), chunks: chunks.length, broken };
}

/** All whole frames; what is left over is a frame that never came whole. */
export function frames(bytes: Buffer): { all: Frame[]; left: number } {
  const all: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 5) {
    const length = bytes.readUInt32BE(at + 1);
    if (at + 5 + length > bytes.length) break;
    const flags = bytes.readUInt8(at);
    const raw = bytes.subarray(at + 5, at + 5 + length);
    const payload = (flags & 1 ? gunzipSync(raw) : raw).toString();
    all.push({ flags, length, payload, json: parse(payload) });
    at += 5 + length;
  }
  return { all, left: bytes.length - at };
}

export function parse(payload: string): Json {
  try {
    return record(JSON.parse(payload));
  } catch {
    return {};
  }
}

export function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** What a careful reader would show: text by block, set replaces, append extends (kimi-web.md §2.5). */
export function textOf(all: readonly Frame[], kind: "text" | "think" = "text"): string {
  const blocks = new Map<string, string>();
  for (const { json } of all) {
    const block = record(json.block);
    if (!(kind in block)) continue;
    const id = String(block.id);
    const content = String(record(block[kind]).content ?? "");
    blocks.set(id, json.op === "append" ? (blocks.get(id) ?? "") + content : content);
  }
  return [...blocks.values()].join("");
}

/** The ids a client keeps for the next turn. */
export function idsOf(all: readonly Frame[]): { chat: string; user: string; assistant: string } {
  const messages = all.filter(({ json }) => json.mask === "message").map(({ json }) => record(json.message));
  const chat = all.map(({ json }) => record(json.chat).id).find((id) => id !== undefined);
  const byRole = (role: string) => String(messages.find((message) => message.role === role)?.id);
  return { chat: String(chat), user: byRole("user"), assistant: byRole("assistant") };
}

export function trailer(all: readonly Frame[]): Json | undefined {
  const last = all.at(-1);
  return last && last.flags & 2 ? last.json : undefined;
}

/** Asks and returns the frames. */
export async function ask(simulator: Simulator, token: string, body: Json): Promise<Frame[]> {
  return frames((await post(simulator, wrap(JSON.stringify(body)), token)).bytes).all;
}

/** A unary call. */
export async function unary(simulator: Simulator, method: string, body: Json, token?: string) {
  const response = await request(`${simulator.url}/apiv2/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: record(await response.body.json()) };
}
