import { request } from "undici";
import type { Simulator } from "../../simulator/index.js";
import { type Json, parseJson, toRecord } from "./client.js";

/** A response; `type` is its content type. `broken`: the connection broke before its end. */
export type LegacyReply = { status: number; type: string; text: string; broken: boolean };

/** Sends a call of the legacy protocol (`METHOD path`) and reads the response until it ends or breaks off. */
export async function callLegacy(
  simulator: Simulator,
  token: string,
  methodAndPath: string,
  body?: Json | Buffer,
): Promise<LegacyReply> {
  const [method, path = ""] = methodAndPath.split(" ");
  const response = await request(path.startsWith("http") ? path : simulator.url + path, {
    method: method ?? "GET",
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
  });
  const chunks: Buffer[] = [];
  let broken = false;
  try {
    for await (const chunk of response.body) chunks.push(chunk);
  } catch {
    broken = true;
  }
  const type = String(response.headers["content-type"] ?? "");
  return { status: response.statusCode, type, text: Buffer.concat(chunks).toString(), broken };
}

/** The complete events of a response. */
export function parseEvents({ text }: LegacyReply): Json[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block.startsWith("data: "))
    .map((block) => parseJson(block.slice("data: ".length)));
}

/** The text of an answer so far. */
export function answerText(reply: LegacyReply): string {
  return parseEvents(reply)
    .map((event) => (event.event === "cmpl" ? String(event.text) : ""))
    .join("");
}

/** Creates a chat and returns its id. */
export async function createChat(simulator: Simulator, token: string): Promise<string> {
  return String(parseJson((await callLegacy(simulator, token, "POST /api/chat", { name: "test" })).text).id);
}

/** Sends a message in a chat; `more` adds fields to the request. */
export function sendMessage(
  simulator: Simulator,
  token: string,
  chat: string,
  content: string,
  more: Json = {},
): Promise<LegacyReply> {
  const body = { messages: [{ role: "user", content }], use_search: false, ...more };
  return callLegacy(simulator, token, `POST /api/chat/${chat}/completion/stream`, body);
}

/** The error of a response: its JSON body, or its error event. */
export function parseError(reply: LegacyReply): Json {
  const errorEvent = parseEvents(reply).find(({ event }) => event === "error");
  return errorEvent ? toRecord(errorEvent.error) : parseJson(reply.text);
}
