import { Refusal } from "../errors.js";
import type { Visit } from "../http-call.js";
import { type JsonObject, parseObject } from "../json.js";
import type { World } from "../state.js";
import type { Person } from "../tokens.js";
import { completionCall } from "./chat-call.js";
import { errorBody, legacyError } from "./errors.js";

const largestShort = 8_388_608;

/** The calls of the legacy protocol (kimi-web.md §1). True if this was one of them. */
export async function legacyRoute(world: World, visit: Visit): Promise<boolean> {
  const { method, path } = visit.call;
  try {
    return await call(world, visit, `${method} ${path}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    visit.request.resume();
    const failure = legacyError(error);
    visit.json(failure.status, errorBody(failure));
    return true;
  }
}

type Short = (world: World, body: JsonObject, person: Person, site: string) => JsonObject;

const shortCalls: Record<string, Short> = {
  "POST /api/chat": ({ legacy }, body, person) => legacy.history.create(body, person),
  "POST /api/chat/list": ({ legacy }, body, person) => legacy.history.list(body, person),
  "POST /api/pre-sign-url": ({ legacy }, body, person, site) => legacy.files.presign(body, person, site),
  "POST /api/file": ({ legacy }, body, person) => legacy.files.describe(body, person),
};

const chatPath = /^(\w+) \/api\/chat\/([0-9a-v]{20})(\/[a-z/]+)?$/;

async function call(world: World, visit: Visit, called: string): Promise<boolean> {
  const short = shortCalls[called];
  if (short) return shortCall(world, visit, short);
  const [, method, chatId = "", rest = ""] = chatPath.exec(called) ?? [];
  switch (method === undefined ? called : `${method} …${rest}`) {
    case "GET /api/auth/token/refresh":
      refresh(world, visit);
      return true;
    case "GET /api/user":
      return answer(world, visit, ({ id, name }) => ({ id, name: `${name} (simulated)` }));
    case "GET /api/chat/list":
      return answer(world, visit, (person) => world.legacy.history.list(queryOf(visit), person));
    case "GET /api/chat/research/usage":
      return answer(world, visit, ({ id }) => world.legacy.research.usage(id));
    case "DELETE …":
      world.legacy.history.delete(chatId, world.tokens.holder(visit.bearer));
      visit.response.writeHead(200).end();
      return true;
    case "POST …/segment/scroll":
      return shortCall(world, visit, (_, body, person) => world.legacy.history.scroll(chatId, body, person));
    case "POST …/completion/stream":
      await completionCall(world, visit, chatId);
      return true;
    case "POST /api/file/parse_process":
      await parse(world, visit);
      return true;
    default:
      return called.startsWith("PUT /prod-chat-kimi/") && put(world, visit);
  }
}

async function shortCall(world: World, visit: Visit, short: Short): Promise<true> {
  const body = await readJson(world, visit);
  const site = `http://${visit.request.headers.host ?? "127.0.0.1"}`;
  visit.json(200, short(world, body, world.tokens.holder(visit.bearer), site));
  return true;
}

function answer(world: World, visit: Visit, tell: (person: Person) => JsonObject): true {
  visit.json(200, tell(world.tokens.holder(visit.bearer)));
  return true;
}

/** kimi-web.md §1.2. */
function refresh(world: World, visit: Visit): void {
  world.counted.legacyRefreshes += 1;
  const pair = world.tokens.rotateLegacy(visit.bearer ?? "");
  if (!pair) throw new Refusal({ code: "unauthenticated" });
  visit.json(200, { access_token: pair.accessToken, refresh_token: pair.refreshToken });
}

/** The object store's side; it knows no tokens, only the signature in the address (kimi-web.md §1.7). */
async function put(world: World, visit: Visit): Promise<true> {
  const url = new URL(visit.request.url ?? "/", "http://simulator");
  const known = await world.legacy.files.put(url, visit.request.iterator({ destroyOnReturn: false }));
  visit.request.resume();
  if (known) {
    const contentType = visit.request.headers["content-type"] ?? "";
    world.log.keepBody(visit.call, { ...known, contentType }, 0);
  }
  visit.response.writeHead(known ? 200 : 403).end();
  return true;
}

/** Reading a file, told as it goes on (kimi-web.md §1.7). */
async function parse(world: World, visit: Visit): Promise<void> {
  const body = await readJson(world, visit);
  const statuses = world.legacy.files.parse(body, world.tokens.holder(visit.bearer));
  visit.response.writeHead(200, { "content-type": "text/event-stream" });
  for (const status of statuses) visit.response.write(`data: ${JSON.stringify({ status })}\n\n`);
  visit.response.end();
}

function queryOf(visit: Visit): JsonObject {
  return Object.fromEntries(new URL(visit.request.url ?? "/", "http://simulator").searchParams);
}

async function readJson(world: World, visit: Visit): Promise<JsonObject> {
  const bytes = await visit.body(largestShort);
  const body = parseObject(bytes.toString() || "{}");
  if (!body) throw new Refusal({ code: "invalid_argument" }, "the body is no JSON object");
  world.log.keepBody(visit.call, body, bytes.length);
  return body;
}
