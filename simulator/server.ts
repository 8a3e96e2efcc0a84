import { setTimeout as sleep } from "node:timers/promises";
import { currentUser, storageQuota, subscriptionStats } from "./account.js";
import { availableModels } from "./catalogue.js";
import { chatCall } from "./chat-call.js";
import { codeOf, errorJson, Refusal } from "./errors.js";
import type { Visit } from "./http-call.js";
import { field, type JsonObject, parseObject, text } from "./json.js";
import { legacyRoute } from "./legacy/route.js";
import { readUpload } from "./multipart.js";
import type { World } from "./state.js";
import type { Person } from "./tokens.js";

type Unary = (world: World, body: JsonObject, person: Person) => JsonObject;

const largestUnary = 8_388_608;
const largestUpload = 209_715_200;

/** The unary methods; some live in the old package too (kimi-web.md §2.10). */
const unary = new Map<string, Unary>([
  [
    "/apiv2/kimi.gateway.account.v1.UserService/GetCurrentUser",
    (_world, _body, person) => currentUser(person),
  ],
  ["/apiv2/kimi.gateway.config.v1.ConfigService/GetAvailableModels", () => availableModels()],
  ["/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats", () => subscriptionStats()],
  ["/apiv2/kimi.gateway.storage.v1.StorageService/GetUserStorageQuota", () => storageQuota()],
  [
    "/apiv2-files/kimi.gateway.file.v1.FileService/GetFileParseProgress",
    (world, body, person) => world.files.progress(body, person),
  ],
  ...chatMethods("/apiv2/kimi.gateway.chat.v1.ChatService"),
  ...chatMethods("/apiv2/kimi.chat.v1.ChatService"),
]);

function chatMethods(service: string): [path: string, method: Unary][] {
  return [
    [`${service}/GetChat`, ({ history }, body, person) => history.getChat(body, person)],
    [`${service}/ListChats`, ({ history }, body, person) => history.listChats(body, person)],
    [`${service}/ListMessages`, ({ history }, body, person) => history.listMessages(body, person)],
    [`${service}/DeleteChat`, ({ history }, body, person) => history.deleteChat(body, person)],
    [`${service}/BatchDeleteChats`, ({ history }, body, person) => history.batchDeleteChats(body, person)],
    [`${service}/UpdateChat`, ({ history }, body, person) => history.updateChat(body, person)],
    [`${service}/CancelChat`, ({ history }, body, person) => history.cancelChat(body, person)],
  ];
}

/** Answers one request, whichever of Kimi's hosts it was meant for. */
export async function serve(world: World, visit: Visit): Promise<void> {
  world.log.add(visit.call);
  try {
    await route(world, visit);
  } catch (error) {
    if (error instanceof Refusal) visit.refuse(error);
    else if (visit.response.headersSent || visit.stopped.aborted) visit.cut();
    // A script of the test's own may throw, and its author will want to know.
    else visit.refuse(new Refusal({ code: "internal" }, String(error)));
  }
}

async function route(world: World, visit: Visit): Promise<void> {
  const { method, path } = visit.call;
  if (await world.replay?.answer(visit, world.deltaMilliseconds)) return;
  if (method === "POST") {
    if (path === "/apiv2/kimi.gateway.chat.v1.ChatService/Chat") return chatCall(world, visit);
    if (path === "/api/account.gateway.v1.AuthService/RefreshToken") return refresh(world, visit);
    if (path === "/apiv2-files/file/upload") return upload(world, visit);
    const answer = unary.get(path);
    if (answer) return unaryCall(world, visit, answer);
  }
  if (await legacyRoute(world, visit)) return;
  visit.request.resume();
  visit.json(404, { code: "not_found", message: "the simulator does not play this" });
}

async function unaryCall(world: World, visit: Visit, answer: Unary): Promise<void> {
  const body = await readJson(world, visit);
  visit.json(200, answer(world, body, world.tokens.holder(visit.bearer)));
}

/** kimi-web.md §2.3. */
async function refresh(world: World, visit: Visit): Promise<void> {
  world.counted.refreshes += 1;
  const body = await readJson(world, visit);
  const fault = world.refreshFaults.take();
  if (typeof fault === "object" && "status" in fault) return refreshFailure(visit, fault.status);
  if (typeof fault === "object") {
    await sleep(fault.delayMilliseconds, undefined, { signal: visit.stopped });
  }
  const pair = world.tokens.rotate(text(field(body, "refresh_token")) ?? "");
  if (!pair) return visit.refuse(new Refusal({ code: "unauthenticated" }, "invalid claims"));
  if (fault === "drop") return visit.cut();
  visit.json(200, pair);
}

function refreshFailure(visit: Visit, status: number): void {
  const refusal = new Refusal({ code: codeOf(status) }, `simulated HTTP ${status}`);
  visit.json(status, errorJson(refusal, visit.language));
}

/** kimi-web.md §2.8. */
async function upload(world: World, visit: Visit): Promise<void> {
  const { request } = visit;
  const person = world.tokens.holder(visit.bearer);
  const chunks = request.iterator({ destroyOnReturn: false });
  const digest = await readUpload(chunks, request.headers["content-type"] ?? "", largestUpload);
  request.resume();
  if (digest === "too large") throw new Refusal({ code: "resource_exhausted" }, "file too large");
  if (!digest) throw new Refusal({ code: "invalid_argument" }, "not a form with one file");
  world.log.keepBody(visit.call, { ...digest }, 0);
  const fault = world.uploadFaults.take();
  if (fault) throw new Refusal(fault);
  visit.json(200, world.files.add(digest, person, `http://${request.headers.host ?? "127.0.0.1"}`));
}

async function readJson(world: World, visit: Visit): Promise<JsonObject> {
  const bytes = await visit.body(largestUnary);
  const body = parseObject(bytes.toString() || "{}");
  if (!body) throw new Refusal({ code: "invalid_argument" }, "the body is no JSON object");
  world.log.keepBody(visit.call, body, bytes.length);
  return body;
}
