import { ApiError } from "../errors.js";
import type { HttpCall } from "../http-call.js";
import { type JsonObject, parseObject } from "../json.js";
import type { SimulatorState } from "../state.js";
import type { Account } from "../tokens.js";
import { handleCompletion } from "./chat-call.js";
import { errorBody, toLegacyError } from "./errors.js";

const maxJsonBytes = 8_388_608;

/** Handles a call of the legacy protocol (kimi-web.md §1). False, without a response, if it is not one. */
export async function handleLegacyCall(state: SimulatorState, call: HttpCall): Promise<boolean> {
  const { method, path } = call.logEntry;
  try {
    return await dispatch(state, call, `${method} ${path}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    call.request.resume();
    const legacyError = toLegacyError(error);
    call.sendJson(legacyError.status, errorBody(legacyError));
    return true;
  }
}

/** Handles a call with a JSON body and returns the body of the response. Throws ApiError. */
type JsonHandler = (state: SimulatorState, body: JsonObject, account: Account, siteUrl: string) => JsonObject;

const jsonHandlers: Record<string, JsonHandler> = {
  "POST /api/chat": ({ legacy }, body, account) => legacy.chatMethods.create(body, account),
  "POST /api/chat/list": ({ legacy }, body, account) => legacy.chatMethods.list(body, account),
  "POST /api/pre-sign-url": ({ legacy }, body, account, siteUrl) =>
    legacy.files.presign(body, account, siteUrl),
  "POST /api/file": ({ legacy }, body, account) => legacy.files.describe(body, account),
};

const chatPath = /^(\w+) \/api\/chat\/([0-9a-v]{20})(\/[a-z/]+)?$/;

async function dispatch(state: SimulatorState, call: HttpCall, methodAndPath: string): Promise<boolean> {
  const handler = jsonHandlers[methodAndPath];
  if (handler) return handleJson(state, call, handler);
  const [, method, chatId = "", rest = ""] = chatPath.exec(methodAndPath) ?? [];
  switch (method === undefined ? methodAndPath : `${method} …${rest}`) {
    case "GET /api/auth/token/refresh":
      handleRefresh(state, call);
      return true;
    case "GET /api/user":
      return sendForAccount(state, call, ({ id, name }) => ({ id, name: `${name} (simulated)` }));
    case "GET /api/chat/list":
      return sendForAccount(state, call, (account) =>
        state.legacy.chatMethods.list(queryParameters(call), account),
      );
    case "GET /api/chat/research/usage":
      return sendForAccount(state, call, ({ id }) => state.legacy.researchUsage.toJson(id));
    case "DELETE …":
      state.legacy.chatMethods.delete(chatId, state.tokens.authenticate(call.bearerToken));
      call.response.writeHead(200).end();
      return true;
    case "POST …/segment/scroll":
      return handleJson(state, call, (_, body, account) =>
        state.legacy.chatMethods.scroll(chatId, body, account),
      );
    case "POST …/completion/stream":
      await handleCompletion(state, call, chatId);
      return true;
    case "POST /api/file/parse_process":
      await sendParseProgress(state, call);
      return true;
    default:
      return methodAndPath.startsWith("PUT /prod-chat-kimi/") && receiveUpload(state, call);
  }
}

async function handleJson(state: SimulatorState, call: HttpCall, handler: JsonHandler): Promise<true> {
  const body = await readJson(state, call);
  const siteUrl = `http://${call.request.headers.host ?? "127.0.0.1"}`;
  call.sendJson(200, handler(state, body, state.tokens.authenticate(call.bearerToken), siteUrl));
  return true;
}

function sendForAccount(
  state: SimulatorState,
  call: HttpCall,
  toJson: (account: Account) => JsonObject,
): true {
  call.sendJson(200, toJson(state.tokens.authenticate(call.bearerToken)));
  return true;
}

/** The token refresh (kimi-web.md §1.2). */
function handleRefresh(state: SimulatorState, call: HttpCall): void {
  state.counters.legacyRefreshes += 1;
  const pair = state.tokens.rotateLegacy(call.bearerToken ?? "");
  if (!pair) throw new ApiError({ code: "unauthenticated" });
  call.sendJson(200, { access_token: pair.accessToken, refresh_token: pair.refreshToken });
}

/** An upload to the object store, authorised by the signature in the URL, without a token (kimi-web.md §1.7). */
async function receiveUpload(state: SimulatorState, call: HttpCall): Promise<true> {
  const url = new URL(call.request.url ?? "/", "http://simulator");
  const contentType = call.request.headers["content-type"] ?? "";
  const bytes = call.request.iterator({ destroyOnReturn: false });
  const upload = await state.legacy.files.receive(url, bytes, contentType);
  call.request.resume();
  if (upload) {
    state.callLog.recordBody(call.logEntry, { ...upload, contentType }, 0);
  }
  call.response.writeHead(upload ? 200 : 403).end();
  return true;
}

/** Parses a file and streams its status (kimi-web.md §1.7). */
async function sendParseProgress(state: SimulatorState, call: HttpCall): Promise<void> {
  const body = await readJson(state, call);
  const statuses = state.legacy.files.parse(body, state.tokens.authenticate(call.bearerToken));
  call.response.writeHead(200, { "content-type": "text/event-stream" });
  for (const status of statuses) call.response.write(`data: ${JSON.stringify({ status })}\n\n`);
  call.response.end();
}

function queryParameters(call: HttpCall): JsonObject {
  return Object.fromEntries(new URL(call.request.url ?? "/", "http://simulator").searchParams);
}

async function readJson(state: SimulatorState, call: HttpCall): Promise<JsonObject> {
  const bytes = await call.readBody(maxJsonBytes);
  const body = parseObject(bytes.toString() || "{}");
  if (!body) throw new ApiError({ code: "invalid_argument" }, "the body is no JSON object");
  state.callLog.recordBody(call.logEntry, body, bytes.length);
  return body;
}
