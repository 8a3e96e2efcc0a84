import { answer, slowed } from "../answer.js";
import type { Chat, Exchange } from "../chats.js";
import { codeOf, Refusal } from "../errors.js";
import { type Fault, mannerOf, withFault } from "../faults.js";
import type { Visit } from "../http-call.js";
import { type JsonObject, list, parseObject } from "../json.js";
import { play } from "../player.js";
import { Wire } from "../response-writer.js";
import { directives, promptFault } from "../script.js";
import type { World } from "../state.js";
import { isEnding, type Step } from "../steps.js";
import { invalidToken } from "../tokens.js";
import { strikes } from "../transport-faults.js";
import { type Completion, readCompletion } from "./chat-request.js";
import { errorBody, errorEvent, isWholeAnswer, legacyError } from "./errors.js";
import { legacyOddities } from "./malformed-frames.js";
import { LegacyTelling } from "./sse-writer.js";

const contentType = "text/event-stream; charset=utf-8";
const largestRequest = 67_108_864;

/** `completion/stream`: one question, one stream of events, and one at a time (kimi-web.md §1.4–§1.6). */
export async function completionCall(world: World, visit: Visit, chatId: string): Promise<void> {
  world.counted.chats += 1;
  world.streams.add(visit);
  visit.response.once("close", () => world.streams.delete(visit));
  const bytes = await visit.body(largestRequest);
  const body = parseObject(bytes.toString());
  if (!body) throw new Refusal({ code: "invalid_argument" }, "the body is no JSON object");
  world.log.keepBody(visit.call, body, bytes.length);
  const person = world.tokens.holder(visit.bearer);
  const { chats, files, speaking } = world.legacy;
  const chat = chats.get(chatId, person.id);
  if (chat.disabled) throw new Refusal({ code: "permission_denied", reason: "chat.forbidden" });
  const completion = readCompletion(body, chat, files, person);
  if (speaking.has(person.id))
    throw new Refusal({ code: "failed_precondition", reason: "chat.user_stream_pushing" });
  speaking.add(person.id);
  try {
    await respond(world, visit, { body, chat, completion, owner: person.id });
  } finally {
    speaking.delete(person.id);
  }
}

type Request = { body: JsonObject; chat: Chat; completion: Completion; owner: string };

async function respond(world: World, visit: Visit, request: Request): Promise<void> {
  const { completion } = request;
  // What was wrapped for Kimi to open is read as what it was (kimi-web.md §1.4).
  const said = completion.continued ? "" : unwrapped(completion.content);
  const asked = directives(said);
  const fault = world.faults.take() ?? promptFault(asked);
  if (await strikesFirst(visit, fault)) return;

  const exchange = completion.continued ?? begin(world, request, said, completion.model);
  const { assistant, chat } = exchange;
  const steps = withFault(stepsOf(world, request, exchange), fault, legacyOddities);
  const wire = new Wire(visit, fault?.kind === "gzip" ? {} : mannerOf(fault));
  wire.open(contentType);
  const telling = new LegacyTelling(wire, exchange, {
    asked: completion.continued ? undefined : completion.content,
    refs: list(request.body.refs),
  });
  const before = assistant.text.length;
  assistant.rest = restOf(steps);
  await play({ wire, telling, pace: slowed(asked) ?? world.deltaMilliseconds, stop: visit.stopped }, steps);
  world.legacy.chats.grow(chat, assistant.text.length - before);
}

function begin(world: World, { body, chat, owner }: Request, text: string, model: string): Exchange {
  if (body.use_research === true) world.legacy.research.note(owner);
  const turn = { chatId: chat.id, parentId: undefined, messageId: undefined, text, blocks: [] };
  return world.legacy.chats.begin({ ...turn, scenario: model }, owner);
}

function stepsOf(world: World, { body, completion }: Request, exchange: Exchange): readonly Step[] {
  if (completion.continued) return exchange.assistant.rest;
  const history = exchange.history.map(({ role, text }) => ({ role, text }));
  const turn = { chatId: exchange.chat.id, text: exchange.user.text, history, request: body };
  return world.script(turn) ?? answer(turn, directives(turn.text));
}

/** What is left where the answer ends by being cut to length. */
function restOf(steps: readonly Step[]): readonly Step[] {
  const end = steps.findIndex(isEnding);
  return steps[end]?.do === "truncated" ? steps.slice(end + 1) : [];
}

function unwrapped(content: string): string {
  return content.replace(/<url [^<>]*>([^<]*)<\/url>/g, "$1");
}

/** The faults that leave no answer to speak of. True if one of them was the answer. */
async function strikesFirst(visit: Visit, fault: Fault | undefined): Promise<boolean> {
  if (fault?.kind === "expired") throw invalidToken("token expired");
  if (fault?.kind !== "error") return strikes(visit, fault, httpFailure);
  const refusal = new Refusal(fault);
  const error = legacyError(refusal);
  if (isWholeAnswer(error)) throw refusal;
  const wire = new Wire(visit, {});
  wire.open(contentType);
  wire.bytes(Buffer.from(`data: ${JSON.stringify(errorEvent(error))}\n\n`));
  await wire.end();
  return true;
}

function httpFailure(status: number): JsonObject {
  return errorBody(legacyError(new Refusal({ code: codeOf(status) }, `simulated HTTP ${status}`)));
}
