import { answer, slowed, type Turn } from "./answer.js";
import { type ChatRequest, readChatRequest, readFrame } from "./chat-request.js";
import type { Exchange } from "./chats.js";
import { Telling } from "./connect-writer.js";
import { endOfStream } from "./envelope.js";
import { codeOf, errorJson, Refusal } from "./errors.js";
import { done, firstHeartbeat, newChat } from "./events.js";
import { type Fault, mannerOf, withFault } from "./faults.js";
import type { Visit } from "./http-call.js";
import type { JsonObject } from "./json.js";
import { play } from "./player.js";
import { Wire } from "./response-writer.js";
import { directives, promptFault } from "./script.js";
import type { World } from "./state.js";
import { invalidToken, type Person } from "./tokens.js";
import { strikes } from "./transport-faults.js";

const contentType = "application/connect+json";
const largestRequest = 67_108_864;

/** `ChatService/Chat`: one question, one stream of frames (kimi-web.md §2.4, §2.5). */
export async function chatCall(world: World, visit: Visit): Promise<void> {
  world.counted.chats += 1;
  world.streams.add(visit);
  visit.response.once("close", () => world.streams.delete(visit));
  try {
    const bytes = await visit.body(largestRequest);
    const body = readFrame(bytes);
    world.log.keepBody(visit.call, body, bytes.length);
    const person = world.tokens.holder(visit.bearer);
    await respond(world, visit, readChatRequest(body, world.files, person), person);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await refuse(visit, error);
  }
}

async function respond(world: World, visit: Visit, request: ChatRequest, person: Person): Promise<void> {
  const asked = directives(request.turn.text);
  const fault = world.faults.take() ?? promptFault(asked);
  if (await strikesFirst(world, visit, fault, request, person)) return;

  const exchange = world.chats.begin(request.turn, person.id);
  exchange.chat.lastRequest = request.lastRequest;
  exchange.assistant.stop = () => visit.stop("cancelled");
  const turn = turnOf(exchange, request);
  const steps = world.script(turn) ?? answer(turn, asked);
  const manner = mannerOf(fault);
  const wire = new Wire(visit, manner);
  wire.open(contentType);
  const telling = new Telling(wire, exchange, { manner, files: request.files, language: visit.language });
  const pace = slowed(asked) ?? world.deltaMilliseconds;
  await play({ wire, telling, pace, stop: visit.stopped }, withFault(steps, fault));
  world.chats.grow(exchange.chat, exchange.assistant.text.length);
}

function turnOf({ chat, history }: Exchange, request: ChatRequest): Turn {
  return {
    chatId: chat.id,
    text: request.turn.text,
    history: history.map(({ role, text }) => ({ role, text })),
    request: request.body,
  };
}

/** The faults that leave no answer to speak of. True if one of them was the answer. */
async function strikesFirst(
  world: World,
  visit: Visit,
  fault: Fault | undefined,
  request: ChatRequest,
  person: Person,
): Promise<boolean> {
  switch (fault?.kind) {
    case "error":
      await overload(world, visit, fault, request, person);
      return true;
    case "expired":
      throw invalidToken("token expired");
    default:
      return strikes(visit, fault, (status) => httpFailure(visit, status));
  }
}

/** The refusal of kimi-web.md §5.6: with `done` before the trailer a new chat was already made. */
async function overload(
  world: World,
  visit: Visit,
  fault: Extract<Fault, { kind: "error" }>,
  request: ChatRequest,
  person: Person,
): Promise<void> {
  const wire = new Wire(visit, {});
  wire.open(contentType);
  wire.frame(firstHeartbeat);
  if (fault.afterDone) {
    const isNew = request.turn.chatId === undefined;
    if (isNew) wire.frame(newChat(1, world.chats.create(person.id)));
    wire.frame(done(isNew ? 2 : 1));
  }
  wire.frame(JSON.stringify({ error: errorJson(new Refusal(fault), visit.language) }), endOfStream);
  await wire.end();
}

function httpFailure(visit: Visit, status: number): JsonObject {
  const overloaded = status === 429 ? "REASON_SERVER_OVERLOADED_FOR_FREE_USER" : undefined;
  const refusal = new Refusal({ code: codeOf(status), reason: overloaded }, `simulated HTTP ${status}`);
  return errorJson(refusal, visit.language);
}

/** Chat answers 200 even where it refuses; the trailer is all there is (kimi-web.md §5.5). */
async function refuse(visit: Visit, refusal: Refusal): Promise<void> {
  const wire = new Wire(visit, {});
  wire.open(contentType);
  wire.frame(JSON.stringify({ error: errorJson(refusal, visit.language) }), endOfStream);
  await wire.end();
}
