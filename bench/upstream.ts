/**
 * The process of the stand-in upstream: Kimi's two web chats and an OpenAI-compatible service. Each delta is a chunk of
 * the body, as a service that flushes each delta sends it, and is encoded in advance.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { legacyId } from "../simulator/ids.js";
import { answerText, parseSpec } from "./answer.js";
import { type Continued, completionFields, protocols } from "./protocols.js";

/** Answers since the start, and those of them that continue a chat. */
const counts = { answers: 0, continued: 0 };
export type UpstreamCounts = typeof counts;

/** An answer that is being sent. `dueAt`: when its next part is due (`performance.now`). */
type PacedAnswer = { response: ServerResponse; parts: Buffer[]; next: number; dueAt: number; pace: number };
const pacedAnswers = new Set<PacedAnswer>();
const encodedDeltas = new Map<string, readonly Buffer[]>();

const timeouts = { keepAliveTimeout: 600_000, headersTimeout: 0, requestTimeout: 0 };
const server = createServer(timeouts, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => respond(request.url ?? "", Buffer.concat(parts), response));
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
setInterval(() => pacedAnswers.forEach(sendDueParts), 1);

function respond(path: string, body: Buffer, response: ServerResponse): void {
  if (path.endsWith("ChatService/Chat")) stream("connect", body, response);
  else if (path.endsWith("/completion/stream")) stream("legacy", body, response);
  else if (path !== "/v1/chat/completions")
    sendJson(response, responses[path.split("?")[0]?.split("/").at(-1) ?? ""]);
  else if (/"stream": ?true/.test(body.toString("latin1"))) stream("openai", body, response);
  else {
    const message = { role: "assistant", content: answerText(parseSpec(body).deltas) };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    sendJson(response, { object: "chat.completion", ...completionFields, choices });
  }
}

function stream(name: keyof typeof protocols, body: Buffer, response: ServerResponse): void {
  const { contentType, frame, delta } = protocols[name];
  const { pace, deltas: count } = parseSpec(body);
  const { opening, closing } = frame(continuedChat(body));
  const deltas = encodedDeltas.get(`${name} ${count}`) ?? Array.from({ length: count }, (_, i) => delta(i));
  encodedDeltas.set(`${name} ${count}`, deltas);
  const [first = Buffer.alloc(0), ...others] = deltas;
  const parts = [Buffer.concat([opening, first]), ...others, closing];
  const answer = { response, parts, next: 0, dueAt: performance.now(), pace };
  response.writeHead(200, { "content-type": contentType });
  pacedAnswers.add(answer);
  response.once("close", () => pacedAnswers.delete(answer));
  sendDueParts(answer);
}

/** Kimi echoes the chat and the message that a request continues (kimi-web.md §2.5). */
function continuedChat(body: Buffer): Continued {
  const head = body.toString("latin1", 0, 600);
  const chat = /"chat_id":"([^"]+)"/.exec(head)?.[1];
  const parent = /"parent_id":"([^"]+)"/.exec(head)?.[1];
  counts.answers++;
  if (chat === undefined || parent === undefined) return undefined;
  counts.continued++;
  return { chat, parent };
}

function sendDueParts(answer: PacedAnswer): void {
  const [{ response, parts, pace }, now] = [answer, performance.now()];
  response.cork();
  for (; answer.dueAt <= now && answer.next < parts.length; answer.dueAt += pace) {
    const part = parts[answer.next++];
    if (answer.next < parts.length) response.write(part);
    else response.end(part);
  }
  response.uncork();
}

function sendJson(response: ServerResponse, value: object = {}): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

const model = { id: "k2d6-chat", scenario: "SCENARIO_CHAT", displayName: "Instant" };
const platformModel = { id: "kimi-k2.6", object: "model", created: 1_776_700_800, context_length: 262_144 };
/** Responses to all other calls, by the last segment of the path (kimi-web.md §1, §2; moonshot-platform.md A). */
const responses: Record<string, object> = {
  GetAvailableModels: {
    defaultScenario: { scenario: model.scenario, model: model.id },
    availableModels: [model],
  },
  get chat() {
    return { id: legacyId(), name: "…" };
  },
  upload: { file: { id: "file-of-the-bench", parseResult: { thumbnail: { url: "" } } } },
  user: { id: legacyId() },
  models: { object: "list", data: [platformModel] },
  counts,
};
