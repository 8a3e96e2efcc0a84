import { type ChatRequest, parseChatRequest, parseRequestFrame } from "./chat-request.js";
import type { ChatTurn } from "./chats.js";
import { ConnectWriter } from "./connect-writer.js";
import { defaultAnswer, requestedPace, type Turn } from "./default-answer.js";
import { findPromptFault, parseDirectives } from "./directives.js";
import { endOfStreamFlag } from "./envelope.js";
import { ApiError, codeForHttpStatus, errorJson } from "./errors.js";
import { doneEvent, firstHeartbeatEvent, newChatEvent } from "./events.js";
import { applyFault, type Fault, wireOptionsOf } from "./faults.js";
import type { HttpCall } from "./http-call.js";
import type { JsonObject } from "./json.js";
import { playAnswer } from "./player.js";
import { ResponseWriter } from "./response-writer.js";
import type { SimulatorState } from "./state.js";
import { type Account, invalidToken } from "./tokens.js";
import { applyTransportFault } from "./transport-faults.js";

const contentType = "application/connect+json";
const maxRequestBytes = 67_108_864;

/** `ChatService/Chat`: one request frame, answered by a stream of frames (kimi-web.md §2.4, §2.5). */
export async function handleChat(state: SimulatorState, call: HttpCall): Promise<void> {
  state.counters.chats += 1;
  state.openStreams.add(call);
  call.response.once("close", () => state.openStreams.delete(call));
  try {
    const bytes = await call.readBody(maxRequestBytes);
    const body = parseRequestFrame(bytes);
    state.callLog.recordBody(call.logEntry, body, bytes.length);
    const account = state.tokens.authenticate(call.bearerToken);
    await respond(state, call, parseChatRequest(body, state.files, account), account);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    await sendErrorTrailer(call, error);
  }
}

async function respond(
  state: SimulatorState,
  call: HttpCall,
  request: ChatRequest,
  account: Account,
): Promise<void> {
  const promptDirectives = parseDirectives(request.turn.text);
  const fault = state.faults.next() ?? findPromptFault(promptDirectives);
  if (await applyEarlyFault(state, call, fault, request, account)) return;

  const turn = state.chats.beginTurn(request.turn, account.id);
  turn.chat.lastRequest = request.lastRequest;
  turn.assistant.stop = () => call.stop("cancelled");
  const scriptTurn = toScriptTurn(turn, request);
  const steps = state.script(scriptTurn) ?? defaultAnswer(scriptTurn, promptDirectives);
  const wireOptions = wireOptionsOf(fault);
  const responseWriter = new ResponseWriter(call, wireOptions);
  responseWriter.open(contentType);
  const answerWriter = new ConnectWriter(responseWriter, turn, {
    wireOptions,
    files: request.files,
    language: call.language,
  });
  const pace = requestedPace(promptDirectives) ?? state.deltaMilliseconds;
  await playAnswer(
    { responseWriter, answerWriter, pace, stopSignal: call.stopSignal },
    applyFault(steps, fault),
  );
  state.chats.addCharacters(turn.chat, turn.assistant.text.length);
}

function toScriptTurn({ chat, history }: ChatTurn, request: ChatRequest): Turn {
  return {
    chatId: chat.id,
    text: request.turn.text,
    history: history.map(({ role, text }) => ({ role, text })),
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
  responseWriter.open(contentType);
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

/** Refuses a call: Chat responds with status 200 and nothing but the error trailer (kimi-web.md §5.5). */
async function sendErrorTrailer(call: HttpCall, error: ApiError): Promise<void> {
  const responseWriter = new ResponseWriter(call, {});
  responseWriter.open(contentType);
  responseWriter.writeFrame(JSON.stringify({ error: errorJson(error, call.language) }), endOfStreamFlag);
  await responseWriter.end();
}
