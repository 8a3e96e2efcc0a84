import { setTimeout as sleep } from "node:timers/promises";
import { currentUser, orderSubscription, storageQuota, subscriptionStats } from "./account.js";
import { availableModels } from "./catalogue.js";
import { handleChat } from "./chat-call.js";
import { ApiError, codeForHttpStatus, errorJson } from "./errors.js";
import { wireOptionsOf } from "./faults.js";
import type { HttpCall } from "./http-call.js";
import { asString, getField, type JsonObject, parseObject } from "./json.js";
import { handleLegacyCall } from "./legacy/routes.js";
import { listFeeds, listPins, pinChat } from "./pins.js";
import { handleResumeChat } from "./resume-call.js";
import type { SimulatorState } from "./state.js";
import type { Account } from "./tokens.js";
import { readUpload } from "./upload-form.js";

/** Handles a unary call: takes the body and the account, returns the body of the response. Throws ApiError. */
type UnaryMethod = (state: SimulatorState, body: JsonObject, account: Account) => JsonObject;

/** Handles a call whose response is a stream. */
type StreamingMethod = (state: SimulatorState, call: HttpCall) => Promise<void>;

const maxUnaryBytes = 8_388_608;
const maxUploadBytes = 209_715_200;

/** The chat service of today, and that of the old package (kimi-web.md §2.10, §6 row 5). */
const chatServices = ["/apiv2/kimi.gateway.chat.v1.ChatService", "/apiv2/kimi.chat.v1.ChatService"];

const streamingMethods = new Map<string, StreamingMethod>(
  chatServices.flatMap((service): [path: string, method: StreamingMethod][] => [
    [`${service}/Chat`, handleChat],
    [`${service}/ResumeChat`, handleResumeChat],
  ]),
);

/** The unary methods by path. */
const unaryMethods = new Map<string, UnaryMethod>([
  [
    "/apiv2/kimi.gateway.account.v1.UserService/GetCurrentUser",
    (_state, _body, account) => currentUser(account),
  ],
  ["/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats", () => subscriptionStats()],
  [
    "/apiv2/kimi.gateway.order.v1.SubscriptionService/GetSubscription",
    (_state, _body, account) => orderSubscription(account),
  ],
  ["/apiv2/kimi.gateway.storage.v1.StorageService/GetUserStorageQuota", () => storageQuota()],
  [
    "/apiv2/kimi.gateway.feed.v1.FeedService/ListFeeds",
    (state, body, account) => listFeeds(state.chats, body, account),
  ],
  [
    "/apiv2/kimi.gateway.pin.v1.PinService/PinResource",
    (state, body, account) => pinChat(state.chats, body, account, true),
  ],
  [
    "/apiv2/kimi.gateway.pin.v1.PinService/UnpinResource",
    (state, body, account) => pinChat(state.chats, body, account, false),
  ],
  [
    "/apiv2/kimi.gateway.pin.v1.PinService/ListPinResources",
    (state, body, account) => listPins(state.chats, body, account),
  ],
  [
    "/apiv2/kimi.gateway.chat.v1.FileService/GetFile",
    (state, body, account) => state.files.getFile(body, account),
  ],
  [
    "/apiv2-files/kimi.gateway.file.v1.FileService/GetFileParseProgress",
    (state, body, account) => state.files.parseProgress(body, account),
  ],
  ...chatServices.flatMap(chatServiceMethods),
]);

function chatServiceMethods(service: string): [path: string, method: UnaryMethod][] {
  return [
    [`${service}/GetChat`, ({ chatMethods }, body, account) => chatMethods.getChat(body, account)],
    [`${service}/ListChats`, ({ chatMethods }, body, account) => chatMethods.listChats(body, account)],
    [`${service}/ListMessages`, ({ chatMethods }, body, account) => chatMethods.listMessages(body, account)],
    [`${service}/GetMessage`, ({ chatMethods }, body, account) => chatMethods.getMessage(body, account)],
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
  const nextWireOptions = () => wireOptionsOf(state.faults.next());
  const { callLog, deltaMilliseconds: pace } = state;
  if (await state.replay?.respond(call, { pace, callLog, nextWireOptions })) return;
  if (isMissing(path, state)) return sendUnknown(call);
  if (method === "POST") {
    const streamingMethod = streamingMethods.get(path);
    if (streamingMethod) return streamingMethod(state, call);
    if (path === "/apiv2/kimi.gateway.config.v1.ConfigService/GetAvailableModels")
      return handleAvailableModels(state, call);
    if (path === "/api/account.gateway.v1.AuthService/RefreshToken") return handleRefresh(state, call);
    if (path === "/apiv2-files/file/upload") return handleUpload(state, call);
    const unaryMethod = unaryMethods.get(path);
    if (unaryMethod) return handleUnary(state, call, unaryMethod);
  }
  if (await handleLegacyCall(state, call)) return;
  sendUnknown(call);
}

/** Whether Kimi does not have this call, as the option `without` says. */
function isMissing(path: string, { without }: SimulatorState): boolean {
  const isLegacy = path.startsWith("/api/") && !path.startsWith("/api/account.gateway.");
  return (
    (isLegacy && without.has("legacy-endpoints")) ||
    (/\/(GetToolBlock|GetSearchCitation)$/.test(path) && without.has("tool-blocks"))
  );
}

function sendUnknown(call: HttpCall): void {
  call.request.resume();
  call.sendJson(404, { code: "not_found", message: "the simulator does not play this" });
}

async function handleUnary(state: SimulatorState, call: HttpCall, method: UnaryMethod): Promise<void> {
  const body = await readJson(state, call);
  call.sendJson(200, method(state, body, state.tokens.authenticate(call.bearerToken)));
}

/** The catalogue, which is sent without a token, too, but not with an invalid one (kimi-web.md §2.10). */
async function handleAvailableModels(state: SimulatorState, call: HttpCall): Promise<void> {
  await readJson(state, call);
  if (call.bearerToken !== undefined) state.tokens.authenticate(call.bearerToken);
  const version = call.request.headers["x-msh-version"];
  call.sendJson(200, availableModels(typeof version === "string" ? version : undefined));
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
  state.callLog.recordBody(call.logEntry, { ...upload.metadata }, 0);
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
