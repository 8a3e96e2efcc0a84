import { type Chat, type ChatTurn, isTooLongPrompt } from "../chats.js";
import { defaultAnswer, requestedPace } from "../default-answer.js";
import { findPromptFault } from "../directives.js";
import { ApiError, codeForHttpStatus } from "../errors.js";
import { applyFault, type Fault, wireOptionsOf } from "../faults.js";
import type { HttpCall } from "../http-call.js";
import { asArray, asString, type JsonObject, parseObject } from "../json.js";
import { playAnswer } from "../player.js";
import { ResponseWriter } from "../response-writer.js";
import type { SimulatorState } from "../state.js";
import { isEnding, type Step } from "../steps.js";
import { readPromptDirectives } from "../taught-model/prompt-directives.js";
import { invalidToken } from "../tokens.js";
import { applyTransportFault } from "../transport-faults.js";
import { type Completion, parseCompletion } from "./chat-request.js";
import { errorBody, errorEvent, isJsonResponse, toLegacyError } from "./errors.js";
import { legacyMalformedFrames } from "./malformed-frames.js";
import { LegacySseWriter } from "./sse-writer.js";

const contentType = "text/event-stream; charset=utf-8";
const maxRequestBytes = 67_108_864;
const tooLongFault = {
  kind: "error",
  code: "resource_exhausted",
  reason: "REASON_TOKEN_LENGTH_TOO_LONG",
} as const;

/** `completion/stream`: one message, answered by a stream of events; one answer at a time for each account (kimi-web.md §1.4–§1.6). */
export async function handleCompletion(state: SimulatorState, call: HttpCall, chatId: string): Promise<void> {
  state.counters.chats += 1;
  state.openStreams.add(call);
  call.response.once("close", () => state.openStreams.delete(call));
  const bytes = await call.readBody(maxRequestBytes);
  const body = parseObject(bytes.toString());
  if (!body) throw new ApiError({ code: "invalid_argument" }, "the body is no JSON object");
  state.callLog.recordBody(call.logEntry, body, bytes.length);
  const account = state.tokens.authenticate(call.bearerToken);
  const { chats, files, slots } = state.legacy;
  const chat = chats.get(chatId, account.id);
  if (chat.isDisabled) throw new ApiError({ code: "permission_denied", reason: "chat.forbidden" });
  const completion = parseCompletion(body, chat, files, account);
  if (!slots.acquire(account.id))
    throw new ApiError({ code: "failed_precondition", reason: "chat.user_stream_pushing" });
  try {
    await respond(state, call, { body, chat, completion, owner: account.id });
  } finally {
    slots.release(account.id);
  }
}

/** A validated request with its chat; `owner` is the account id. */
type CompletionRequest = { body: JsonObject; chat: Chat; completion: Completion; owner: string };

async function respond(state: SimulatorState, call: HttpCall, request: CompletionRequest): Promise<void> {
  const { completion } = request;
  // A URL that was wrapped in a `<url>` element for Kimi is read as plain text (kimi-web.md §1.4).
  const prompt = completion.truncatedTurn ? "" : unwrapUrls(completion.content);
  const promptDirectives = readPromptDirectives(prompt);
  const fault = isTooLongPrompt(prompt)
    ? tooLongFault
    : (state.faults.next() ?? findPromptFault(promptDirectives));
  if (await applyEarlyFault(call, fault)) return;

  const turn = completion.truncatedTurn ?? beginTurn(state, request, prompt, completion.model);
  const { assistant, chat } = turn;
  const steps = applyFault(stepsFor(state, request, turn), fault, legacyMalformedFrames);
  const responseWriter = new ResponseWriter(call, fault?.kind === "gzip" ? {} : wireOptionsOf(fault));
  responseWriter.open(contentType);
  const answerWriter = new LegacySseWriter(responseWriter, turn, {
    prompt: completion.truncatedTurn ? undefined : completion.content,
    refs: asArray(request.body.refs),
  });
  const lengthBefore = assistant.text.length;
  assistant.remainingSteps = stepsAfterTruncation(steps);
  await playAnswer(
    {
      responseWriter,
      answerWriter,
      pace: requestedPace(promptDirectives) ?? state.deltaMilliseconds,
      heartbeatMilliseconds: state.heartbeatMilliseconds,
      stopSignal: call.stopSignal,
      outlivesConnection: false,
    },
    steps,
  );
  state.legacy.chats.addCharacters(chat, assistant.text.length - lengthBefore);
}

function beginTurn(
  state: SimulatorState,
  { body, chat, owner }: CompletionRequest,
  text: string,
  model: string,
): ChatTurn {
  if (body.use_research === true) state.legacy.researchUsage.recordUse(owner);
  const place = { chatId: chat.id, parentId: undefined, messageId: undefined };
  const newTurn = { ...place, text, blocks: [], scenario: model };
  chat.files.push(...asArray(body.refs).map((id) => ({ id })));
  return state.legacy.chats.beginTurn(newTurn, owner);
}

function stepsFor(
  state: SimulatorState,
  { body, completion, owner }: CompletionRequest,
  turn: ChatTurn,
): readonly Step[] {
  if (completion.truncatedTurn) return turn.assistant.remainingSteps;
  const history = turn.history.map(({ role, text }) => ({ role, text }));
  const files = turn.chat.files.flatMap(({ id }) => state.legacy.files.texts.get(asString(id) ?? "") ?? []);
  const scriptTurn = { chatId: turn.chat.id, text: turn.user.text, history, files, request: body };
  return (
    state.script(scriptTurn) ??
    state.taughtModel.answer(scriptTurn, owner) ??
    defaultAnswer(scriptTurn, readPromptDirectives(scriptTurn.text))
  );
}

/** The steps after `truncated`; empty if the answer has another ending. */
function stepsAfterTruncation(steps: readonly Step[]): readonly Step[] {
  const end = steps.findIndex(isEnding);
  return steps[end]?.do === "truncated" ? steps.slice(end + 1) : [];
}

/** Replaces each `<url …>ADDRESS</url>` by the address. */
function unwrapUrls(content: string): string {
  return content.replace(/<url [^<>]*>([^<]*)<\/url>/g, "$1");
}

/** Applies a fault that replaces the whole answer. True if it did; false if the answer must still be written. */
async function applyEarlyFault(call: HttpCall, fault: Fault | undefined): Promise<boolean> {
  if (fault?.kind === "expired") throw invalidToken("token expired");
  if (fault?.kind !== "error") return applyTransportFault(call, fault, httpErrorBody);
  const apiError = new ApiError(fault);
  const error = toLegacyError(apiError);
  if (isJsonResponse(error)) throw apiError;
  const responseWriter = new ResponseWriter(call, {});
  responseWriter.open(contentType);
  responseWriter.writeBytes(Buffer.from(`data: ${JSON.stringify(errorEvent(error))}\n\n`));
  await responseWriter.end();
  return true;
}

function httpErrorBody(status: number): JsonObject {
  return errorBody(
    toLegacyError(new ApiError({ code: codeForHttpStatus(status) }, `simulated HTTP ${status}`)),
  );
}
