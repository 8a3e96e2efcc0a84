import { request } from "undici";
import type { Simulator } from "../../simulator/index.js";
import { type Json, parse, record } from "./client.js";

export type LegacyReply = { status: number; type: string; text: string; broken: boolean };

/** Any call of the legacy protocol, read until the connection says no more. */
export async function legacyCall(
  simulator: Simulator,
  token: string,
  called: string,
  body?: Json | Buffer,
): Promise<LegacyReply> {
  const [method, path = ""] = called.split(" ");
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

/** The events of a reply: only those that came whole. */
export function eventsOf({ text }: LegacyReply): Json[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((block) => block.startsWith("data: "))
    .map((block) => parse(block.slice("data: ".length)));
}

export function said(reply: LegacyReply): string {
  return eventsOf(reply)
    .map((event) => (event.event === "cmpl" ? String(event.text) : ""))
    .join("");
}

/** A new chat of this person's. */
export async function newChat(simulator: Simulator, token: string): Promise<string> {
  return String(parse((await legacyCall(simulator, token, "POST /api/chat", { name: "test" })).text).id);
}

/** Asks in a chat. */
export function say(
  simulator: Simulator,
  token: string,
  chat: string,
  content: string,
  more: Json = {},
): Promise<LegacyReply> {
  const body = { messages: [{ role: "user", content }], use_search: false, ...more };
  return legacyCall(simulator, token, `POST /api/chat/${chat}/completion/stream`, body);
}

/** The error of a reply, whether it is the whole answer or an event. */
export function errorOf(reply: LegacyReply): Json {
  const event = eventsOf(reply).find((each) => each.event === "error");
  return event ? record(event.error) : parse(reply.text);
}
