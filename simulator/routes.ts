import { setTimeout as sleep } from "node:timers/promises";
import { currentUser, storageQuota, subscriptionStats } from "./account.js";
import { availableModels } from "./catalogue.js";
import { handleChat } from "./chat-call.js";
import { ApiError, codeForHttpStatus, errorJson } from "./errors.js";
import type { HttpCall } from "./http-call.js";
import { asString, getField, type JsonObject, parseObject } from "./json.js";
import { handleLegacyCall } from "./legacy/routes.js";
import type { SimulatorState } from "./state.js";
import type { Account } from "./tokens.js";
import { readUpload } from "./upload-form.js";

/** Handles a unary call: takes the body and the account, returns the body of the response. Throws ApiError. */
type UnaryMethod = (state: SimulatorState, body: JsonObject, account: Account) => JsonObject;

const maxUnaryBytes = 8_388_608;
const maxUploadBytes = 209_715_200;

/** The unary methods by path; those of chats also exist in the old package (kimi-web.md §2.10). */
const unaryMethods = new Map<string, UnaryMethod>([
  [
    "/apiv2/kimi.gateway.account.v1.UserService/GetCurrentUser",
    (_state, _body, account) => currentUser(account),
  ],
  ["/apiv2/kimi.gateway.config.v1.ConfigService/GetAvailableModels", () => availableModels()],
  ["/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats", () => subscriptionStats()],
  ["/apiv2/kimi.gateway.storage.v1.StorageService/GetUserStorageQuota", () => storageQuota()],
  [
    "/apiv2-files/kimi.gateway.file.v1.FileService/GetFileParseProgress",
    (state, body, account) => state.files.parseProgress(body, account),
  ],
  ...chatServiceMethods("/apiv2/kimi.gateway.chat.v1.ChatService"),
  ...chatServiceMethods("/apiv2/kimi.chat.v1.ChatService"),
]);

function chatServiceMethods(service: string): [path: string, method: UnaryMethod][] {
  return [
    [`${service}/GetChat`, ({ chatMethods }, body, account) => chatMethods.getChat(body, account)],
    [`${service}/ListChats`, ({ chatMethods }, body, account) => chatMethods.listChats(body, account)],
    [`${service}/ListMessages`, ({ chatMethods }, body, account) => chatMethods.listMessages(body, account)],
    [`${service}/GetToolBlock`, ({ chatMethods }, body, account) => chatMethods.getToolBlock(body, account)],
    [
      `${service}/GetSearchCitation`,
      ({ chatMethods }, body, account) => chatMethods.getSearchCitation(body, account),
    ],
    [`${service}/DeleteChat`, ({ chatMethods }, body, account) => chatMethods.deleteChat(body, account)],
    [
      `${service}/BatchDeleteChats`,
      ({ chatMethods }, body, account) => chatMethods.batchDeleteChats(body, account),
    ],
    [`${service}/UpdateChat`, ({ chatMethods }, body, account) => chatMethods.updateChat(body, account)],
    [`${service}/CancelChat`, ({ chatMethods }, body, account) => chatMethods.cancelChat(body, account)],
  ];
}

/**
 * Handles one request to any of Kimi's hosts; the path determines which. An error is sent as a response, or breaks the
 * connection if the response has begun.
 */
export async function handleCall(state: SimulatorState, call: HttpCall): Promise<void> {
  state.callLog.add(call.logEntry);
  try {
    await route(state, call);
  } catch (error) {
    if (error instanceof ApiError) call.sendError(error);
    else if (call.response.headersSent || call.stopSignal.aborted) call.cut();
    // The `script` option may throw; the response then has the message, for the author of the test.
    else call.sendError(new ApiError({ code: "internal" }, String(error)));
  }
}

async function route(state: SimulatorState, call: HttpCall): Promise<void> {
  const { method, path } = call.logEntry;
  if (await state.replay?.respond(call, state.deltaMilliseconds)) return;
  if (method === "POST") {
    if (path === "/apiv2/kimi.gateway.chat.v1.ChatService/Chat") return handleChat(state, call);
    if (path === "/api/account.gateway.v1.AuthService/RefreshToken") return handleRefresh(state, call);
    if (path === "/apiv2-files/file/upload") return handleUpload(state, call);
    const unaryMethod = unaryMethods.get(path);
    if (unaryMethod) return handleUnary(state, call, unaryMethod);
  }
  if (await handleLegacyCall(state, call)) return;
  call.request.resume();
  call.sendJson(404, { code: "not_found", message: "the simulator does not play this" });
}

async function handleUnary(state: SimulatorState, call: HttpCall, method: UnaryMethod): Promise<void> {
  const body = await readJson(state, call);
  call.sendJson(200, method(state, body, state.tokens.authenticate(call.bearerToken)));
}

/** `AuthService/RefreshToken` (kimi-web.md §2.3). */
async function handleRefresh(state: SimulatorState, call: HttpCall): Promise<void> {
  state.counters.refreshes += 1;
  const body = await readJson(state, call);
  const fault = state.refreshFaults.next();
  if (typeof fault === "object" && "status" in fault) return sendRefreshError(call, fault.status);
  if (typeof fault === "object") {
    await sleep(fault.delayMilliseconds, undefined, { signal: call.stopSignal });
  }
  const pair = state.tokens.rotate(asString(getField(body, "refresh_token")) ?? "");
  if (!pair) return call.sendError(new ApiError({ code: "unauthenticated" }, "invalid claims"));
  if (fault === "drop") return call.cut();
  call.sendJson(200, pair);
}

function sendRefreshError(call: HttpCall, status: number): void {
  const error = new ApiError({ code: codeForHttpStatus(status) }, `simulated HTTP ${status}`);
  call.sendJson(status, errorJson(error, call.language));
}

/** The file upload (kimi-web.md §2.8). */
async function handleUpload(state: SimulatorState, call: HttpCall): Promise<void> {
  const { request } = call;
  const account = state.tokens.authenticate(call.bearerToken);
  const chunks = request.iterator({ destroyOnReturn: false });
  const upload = await readUpload(chunks, request.headers["content-type"] ?? "", maxUploadBytes);
  request.resume();
  if (upload === "too large") throw new ApiError({ code: "resource_exhausted" }, "file too large");
  if (!upload) throw new ApiError({ code: "invalid_argument" }, "not a form with one file");
  state.callLog.recordBody(call.logEntry, { ...upload }, 0);
  const fault = state.uploadFaults.next();
  if (fault) throw new ApiError(fault);
  call.sendJson(200, state.files.add(upload, account, `http://${request.headers.host ?? "127.0.0.1"}`));
}

async function readJson(state: SimulatorState, call: HttpCall): Promise<JsonObject> {
  const bytes = await call.readBody(maxUnaryBytes);
  const body = parseObject(bytes.toString() || "{}");
  if (!body) throw new ApiError({ code: "invalid_argument" }, "the body is no JSON object");
  state.callLog.recordBody(call.logEntry, body, bytes.length);
  return body;
}
