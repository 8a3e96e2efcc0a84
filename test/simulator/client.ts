import { gunzipSync } from "node:zlib";
import { request } from "undici";
import type { Simulator } from "../../simulator/index.js";

/** A JSON object. */
export type Json = Record<string, unknown>;
/** A Connect envelope. `length` is that of the payload as sent, `payload` is decompressed, `json` is {} for invalid JSON. */
export type Frame = { flags: number; length: number; payload: string; json: Json };

const chatPath = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";

/** The body of a Chat request with the field names that the site uses (kimi-web.md §5.1). */
export function chatRequest(
  text: string,
  changes: { top?: Json; message?: Json; options?: Json } = {},
): Json {
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

/** A Connect envelope; written independently of the simulator's encoder. */
export function encodeFrame(payload: string, flags = 0): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(5);
  header[0] = flags;
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

/** A response. `broken`: the connection broke before its end; `chunkCount`: the number of chunks in which it arrived. */
export type Reply = { status: number; headers: Json; bytes: Buffer; chunkCount: number; broken: boolean };

/** Posts a Chat request and reads the response until it ends or breaks off. */
export async function postChat(
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
  return { status, headers, bytes: Buffer.concat(chunks), chunkCount: chunks.length, broken };
}

/** All complete frames, and the number of bytes of an incomplete one after them. */
export function parseFrames(bytes: Buffer): { frames: Frame[]; incompleteBytes: number } {
  const frames: Frame[] = [];
  let offset = 0;
  while (bytes.length - offset >= 5) {
    const length = bytes.readUInt32BE(offset + 1);
    if (offset + 5 + length > bytes.length) break;
    const flags = bytes.readUInt8(offset);
    const content = bytes.subarray(offset + 5, offset + 5 + length);
    const payload = (flags & 1 ? gunzipSync(content) : content).toString();
    frames.push({ flags, length, payload, json: parseJson(payload) });
    offset += 5 + length;
  }
  return { frames, incompleteBytes: bytes.length - offset };
}

/** The JSON object in a text; {} for any other text. */
export function parseJson(payload: string): Json {
  try {
    return toRecord(JSON.parse(payload));
  } catch {
    return {};
  }
}

/** A copy of an object's own fields; {} for any other value. */
export function toRecord(value: unknown): Json {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** The text of all blocks of a kind: `set` replaces a block, `append` extends it (kimi-web.md §2.5). */
export function answerText(frames: readonly Frame[], kind: "text" | "think" = "text"): string {
  const blocks = new Map<string, string>();
  for (const { json } of frames) {
    const block = toRecord(json.block);
    if (!(kind in block)) continue;
    const id = String(block.id);
    const content = String(toRecord(block[kind]).content ?? "");
    blocks.set(id, json.op === "append" ? (blocks.get(id) ?? "") + content : content);
  }
  return [...blocks.values()].join("");
}

/** The ids that a client needs for the next turn. */
export function turnIds(frames: readonly Frame[]): { chat: string; user: string; assistant: string } {
  const messages = frames
    .filter(({ json }) => json.mask === "message")
    .map(({ json }) => toRecord(json.message));
  const chat = frames.map(({ json }) => toRecord(json.chat).id).find((id) => id !== undefined);
  const byRole = (role: string) => String(messages.find((message) => message.role === role)?.id);
  return { chat: String(chat), user: byRole("user"), assistant: byRole("assistant") };
}

/** The JSON of the trailer; undefined if the last frame is not a trailer. */
export function trailerOf(frames: readonly Frame[]): Json | undefined {
  const last = frames.at(-1);
  return last && last.flags & 2 ? last.json : undefined;
}

/** Sends a Chat request and returns the frames of the response. */
export async function sendChat(simulator: Simulator, token: string, body: Json): Promise<Frame[]> {
  return parseFrames((await postChat(simulator, encodeFrame(JSON.stringify(body)), token)).bytes).frames;
}

/** Calls a unary method and returns status and JSON. */
export async function callUnary(
  simulator: Simulator,
  method: string,
  body: Json,
  token?: string,
  headers: Record<string, string> = {},
) {
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  const response = await request(`${simulator.url}/apiv2/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization, ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: toRecord(await response.body.json()) };
}
