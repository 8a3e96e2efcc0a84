import { callsFunctions, demandedWord, placeTurn, refuseForm } from "./capabilities.js";
import { type ChatRequest, parseChatRequest } from "./chat-request.js";
import type { Chats, ChatTurn } from "./chats.js";
import { handleStream, streamContentType } from "./connect-stream.js";
import { ConnectWriter } from "./connect-writer.js";
import { defaultAnswer, requestedPace, type Turn } from "./default-answer.js";
import { findPromptFault } from "./directives.js";
import { endOfStreamFlag } from "./envelope.js";
import { ApiError, codeForHttpStatus, errorJson } from "./errors.js";
import { doneEvent, firstHeartbeatEvent, newChatEvent } from "./events.js";
import { applyFault, type Fault, wireOptionsOf } from "./faults.js";
import type { Files } from "./files.js";
import type { HttpCall } from "./http-call.js";
import { isLegacyId } from "./ids.js";
import { asString, type JsonObject } from "./json.js";
import { playAnswer } from "./player.js";
import { ResponseWriter } from "./response-writer.js";
import type { SimulatorState } from "./state.js";
import type { Step } from "./steps.js";
import { readPromptDirectives } from "./taught-model/prompt-directives.js";
import { type Account, invalidToken } from "./tokens.js";
import { applyTransportFault } from "./transport-faults.js";

/** `ChatService/Chat`: a message, and the stream of its answer (kimi-web.md §2.4, §2.5). */
export function handleChat(state: SimulatorState, call: HttpCall): Promise<void> {
  state.counters.chats += 1;
  return handleStream(state, call, (body, account) =>
    respond(state, call, parseChatRequest(body, state.files, account, state.strictness), account),
  );
}

async function respond(
  state: SimulatorState,
  call: HttpCall,
  request: ChatRequest,
  account: Account,
): Promise<void> {
  const chats = chatsWith(state, request.turn.chatId);
  if (request.turn.chatId !== undefined) chats.requireIdle(request.turn.chatId, account.id);
  chats.requireShortPrompt(request.turn, account.id);
  refuseForm(request.body, state.without);
  const promptDirectives = readPromptDirectives(request.turn.text);
  const fault = state.faults.next() ?? findPromptFault(promptDirectives);
  if (await applyEarlyFault(state, call, fault, request, account)) return;

  const chatBefore =
    request.turn.chatId === undefined ? undefined : chats.get(request.turn.chatId, account.id);
  const turn = chats.beginTurn(placeTurn(request.turn, chatBefore, state.without), account.id);
  turn.chat.lastRequest = request.lastRequest;
  turn.chat.files.push(...request.files);
  turn.assistant.stop = () => call.stop("cancelled");
  const scriptTurn = toScriptTurn(turn, request, state.files);
  const word = demandedWord(request.body, state.without);
  const steps = [
    ...(stepsFor(state, turn, scriptTurn, account) ?? defaultAnswer(scriptTurn, promptDirectives)),
    ...(word === undefined ? [] : [{ do: "text" as const, content: ` ${word}` }]),
  ];
  const wireOptions = {
    ...wireOptionsOf(fault),
    ...(state.without.has("echo-text") ? { spacedEcho: true } : {}),
  };
  const responseWriter = new ResponseWriter(call, wireOptions);
  responseWriter.open(streamContentType);
  const answerWriter = new ConnectWriter(responseWriter, turn, {
    wireOptions,
    files: request.files,
    language: call.language,
  });
  const pace = requestedPace(promptDirectives) ?? state.deltaMilliseconds;
  const outlivesConnection = state.afterCut !== "stops";
  await playAnswer(
    {
      responseWriter,
      answerWriter,
      pace,
      heartbeatMilliseconds: state.heartbeatMilliseconds,
      stopSignal: outlivesConnection ? call.cancelSignal : call.stopSignal,
      outlivesConnection,
    },
    applyFault(steps, fault),
  );
  chats.addCharacters(turn.chat, turn.assistant.text.length);
}

/** The chats of the protocol that made this one: a legacy chat can be continued over Connect (kimi-web.md §6 row 7). */
function chatsWith(state: SimulatorState, chatId: string | undefined): Chats {
  return chatId !== undefined && isLegacyId(chatId) ? state.legacy.chats : state.chats;
}

/**
 * The steps of the script, or of a model that was told of functions. If either throws, the answer has failed and its chat is
 * free again.
 */
function stepsFor(
  state: SimulatorState,
  { assistant }: ChatTurn,
  scriptTurn: Turn,
  account: Account,
): Step[] | undefined {
  try {
    const scripted = state.script(scriptTurn);
    if (scripted || !callsFunctions(scriptTurn.request, state.without)) return scripted;
    return state.taughtModel.answer(scriptTurn, account.id);
  } catch (error) {
    assistant.status = "MESSAGE_STATUS_ERROR";
    assistant.stop = undefined;
    throw error;
  }
}

function toScriptTurn({ chat, history }: ChatTurn, request: ChatRequest, files: Files): Turn {
  return {
    chatId: chat.id,
    text: request.turn.text,
    history: history.map(({ role, text }) => ({ role, text })),
    files: chat.files.flatMap(({ id }) => files.texts.get(asString(id) ?? "") ?? []),
    request: request.body,
  };
}

/** Applies a fault that replaces the whole answer. True if it did; false if the answer must still be written. */
async function applyEarlyFault(
  state: SimulatorState,
  call: HttpCall,
  fault: Fault | undefined,
  request: ChatRequest,
  account: Account,
): Promise<boolean> {
  switch (fault?.kind) {
    case "error":
      await sendErrorFault(state, call, fault, request, account);
      return true;
    case "expired":
      throw invalidToken("token expired");
    default:
      return applyTransportFault(call, fault, (status) => httpErrorBody(call, status));
  }
}

/** The fault `error`; with `afterDone`, a new chat and `done` come before the trailer (kimi-web.md §5.6). */
async function sendErrorFault(
  state: SimulatorState,
  call: HttpCall,
  fault: Extract<Fault, { kind: "error" }>,
  request: ChatRequest,
  account: Account,
): Promise<void> {
  const responseWriter = new ResponseWriter(call, {});
  responseWriter.open(streamContentType);
  responseWriter.writeFrame(firstHeartbeatEvent);
  if (fault.afterDone) {
    const isNew = request.turn.chatId === undefined;
    if (isNew) responseWriter.writeFrame(newChatEvent(1, state.chats.create(account.id)));
    responseWriter.writeFrame(doneEvent(isNew ? 2 : 1));
  }
  responseWriter.writeFrame(
    JSON.stringify({ error: errorJson(new ApiError(fault), call.language) }),
    endOfStreamFlag,
  );
  await responseWriter.end();
}

function httpErrorBody(call: HttpCall, status: number): JsonObject {
  const overloaded = status === 429 ? "REASON_SERVER_OVERLOADED_FOR_FREE_USER" : undefined;
  const error = new ApiError(
    { code: codeForHttpStatus(status), reason: overloaded },
    `simulated HTTP ${status}`,
  );
  return errorJson(error, call.language);
}
