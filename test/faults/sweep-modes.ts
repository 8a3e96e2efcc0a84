import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import Database from "libsql";
import { request } from "undici";
import type { Fault } from "../../simulator/index.js";
import type { ErrorCode } from "../../src/core/errors.js";
import { apiKey, type Gateway, until } from "../gateway.js";
import { cutStream, json, type Platform, type Script, stream, text } from "../upstreams/openai/platform.js";
import type { SweptRoute } from "./sweep-routes.js";

export const expiredKey = "sk-CANARY-expired";
export const chatlessKey = "sk-CANARY-admin-alone";

export type House = { gateway: Gateway; platform: Platform; tokens: string[] };
export type Outcome = { status: number; body: string };

/** A way in which something goes wrong: how the house is prepared for it, and how each request is made then. */
export type Mode = {
  name: string;
  /** A status or a failure in the log that some route must come to, or else the mode did not happen. */
  shows: number | ErrorCode;
  /** The address tells, and where nothing is there the answer says of which address. */
  echoes?: boolean;
  before?: (house: House) => unknown;
  ask?: (gateway: Gateway, route: SweptRoute) => Promise<Outcome>;
  /** While the requests run. */
  meanwhile?: (house: House) => unknown;
};

const right = { authorization: `Bearer ${apiKey}` };
/** Where nobody answers. */
export const issuer = "http://127.0.0.1:1";
const token = (iss: string) =>
  [
    { alg: "RS256", kid: "CANARY" },
    { iss, sub: "CANARY" },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");

/** What only the person has at heart, as every kind of header that might be noted. */
const telling = {
  cookie: "session=CANARY",
  referer: "http://chat.example/CANARY",
  origin: "http://CANARY.example",
  "user-agent": "CANARY",
  "x-request-id": "CANARY",
  traceparent: "CANARY",
  forwarded: "for=CANARY",
  "x-forwarded-for": "CANARY",
  "accept-language": "CANARY",
  "if-none-match": '"CANARY"',
  range: "bytes=CANARY",
  "openai-organization": "CANARY",
};

export const requestModes: Mode[] = [
  { name: "all is well", shows: 200 },
  presenting("headers that tell", 200, telling),
  presenting("no key", 401, { authorization: "" }),
  presenting("a wrong key", 401, { authorization: "Bearer sk-CANARY-wrong" }),
  presenting("a wrong key elsewhere", 401, { authorization: "", "x-api-key": "CANARY", "api-key": "CANARY" }),
  presenting("a key that has expired", 401, { authorization: `Bearer ${expiredKey}` }),
  presenting("a key without the scope", 403, { authorization: `Bearer ${chatlessKey}` }),
  presenting("a stranger's token", 401, { authorization: `Bearer ${token("CANARY")}.CANARY` }),
  presenting("a token of an issuer that is gone", 503, { authorization: `Bearer ${token(issuer)}.CANARY` }),
  presenting("HTTP Basic", 401, {
    authorization: `Basic ${Buffer.from("CANARY:CANARY").toString("base64")}`,
  }),
  presenting("a content type that there is none of", 400, {
    "content-type": "CANARY/CANARY; charset=CANARY",
  }),
  presenting("a form without its boundary", 400, { "content-type": "multipart/form-data; CANARY" }),
  presenting("a content coding that there is none of", 400, {
    "content-encoding": "CANARY",
    "content-type": "multipart/form-data",
  }),
  spoilt(
    "the key in the address",
    401,
    (route) => ({
      ...route,
      path: `${route.path}?key=${apiKey}&access_token=CANARY&CANARY=CANARY&limit=CANARY&order=CANARY&after=CANARY`,
    }),
    { authorization: "" },
  ),
  spoilt("a query that means nothing", 400, (route) => ({
    ...route,
    path: `${route.path}?limit=CANARY&order=CANARY&after=CANARY&purpose=CANARY&%=CANARY`,
  })),
  {
    ...spoilt("an address that tells", 404, (route) => ({ ...route, path: `${route.path}/CANARY` })),
    echoes: true,
  },
  spoilt("a body that is no JSON", 400, (route) => ({ ...route, body: 'CANARY {"messages": "CANARY' })),
  spoilt("a body that is cut", 400, (route) => ({ ...route, body: route.body?.slice(0, -20) ?? "CANARY" })),
  spoilt("a body of another shape", 400, (route) => ({
    ...route,
    body: JSON.stringify(misshapen),
    type: "application/json",
  })),
  spoilt("a field of another shape", 400, (route) => ({
    ...route,
    body: JSON.stringify(mistyped),
    type: "application/json",
  })),
  spoilt("a role that there is none of", 400, (route) => ({
    ...route,
    body: JSON.stringify(misnamed),
    type: "application/json",
  })),
  spoilt("a form that means nothing", 400, (route) => ({
    ...route,
    body: "grant_type=CANARY&client_id=CANARY&client_secret=CANARY&username=CANARY&password=CANARY&scope=CANARY",
    type: "application/x-www-form-urlencoded",
  })),
  spoilt("a wrong secret for a token", 400, (route) => ({
    ...route,
    body: "grant_type=password&username=CANARY&password=CANARY&scope=CANARY",
    type: "application/x-www-form-urlencoded",
  })),
  {
    name: "a body that is too large",
    shows: 413,
    ask: (gateway, route) => raw(gateway, route, "content-length: 999999999999\r\n\r\nCANARY", true),
  },
  {
    name: "a client that leaves in its request",
    shows: "cancelled",
    ask: (gateway, route) => raw(gateway, route, "content-length: 1000\r\n\r\nCANARY {", false),
  },
  {
    name: "a client that leaves in its answer",
    shows: "cancelled",
    before: ({ gateway }) => gateway.simulator.fault({ kind: "stall", after: 1 }, 10_000),
    ask: (gateway, { body = "", ...route }) =>
      raw(gateway, route, `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, false),
  },
  {
    name: "a header that is none",
    shows: 400,
    ask: (gateway, route) => raw(gateway, route, "CANARY CANARY\r\n\r\n", true),
  },
  {
    name: "no HTTP",
    shows: 400,
    ask: (gateway, route) => raw(gateway, { ...route, method: "CANARY" }, "\r\n", true),
  },
];

const misshapen = {
  model: { CANARY: 1 },
  messages: "CANARY",
  temperature: "CANARY",
  stream: "CANARY",
  grant_type: "CANARY",
};
const mistyped = {
  model: "kimi",
  messages: [{ role: "user", content: { CANARY: "CANARY" } }],
  user: "CANARY",
};
const misnamed = { model: "kimi", messages: [{ role: "CANARY", content: "CANARY" }], tool_choice: "CANARY" };

/** What the platform says of a failure, in words that only a client may hear: PARROT. */
const platformFaults: [name: string, shows: number, script: Script][] = [
  [
    "401",
    503,
    json(401, { error: { message: "CANARY sk-CANARY-platform-key", type: "invalid_authentication_error" } }),
  ],
  ["429", 429, json(429, { error: { message: "PARROT", type: "rate_limit_reached_error" } })],
  [
    "500 page",
    502,
    text(500, "<html>CANARY my CANARY prompt</html>", { "content-type": "text/html", "x-CANARY": "CANARY" }),
  ],
  ["nonsense", 502, stream("data: CANARY {\n\n", "data: [DONE]\n\n")],
  [
    "error inside",
    502,
    stream('data: {"error":{"message":"PARROT","type":"PARROT PARROT","code":"PARROT PARROT"}}\n\n'),
  ],
  ["cut", 502, cutStream('data: {"choices":[{"index":0,"delta":{"content":"CANARY"}}]}\n\n')],
];

/** The same of Kimi, over both of its protocols. */
const kimiFaults: [shows: number | ErrorCode, fault: Fault][] = [
  ["upstream_unavailable", { kind: "error", code: "internal", message: "PARROT", reason: "PARROT PARROT" }],
  ["account_login_required", { kind: "error", code: "unauthenticated", message: "PARROT" }],
  [
    "rate_limited",
    {
      kind: "http",
      status: 429,
      retryAfter: 1_000,
      body: '{"code":"resource_exhausted","message":"PARROT"}',
    },
  ],
  ["upstream_overloaded", { kind: "http", status: 500, body: '{"message":"CANARY prompt"' }],
  ["account_login_required", { kind: "http", status: 401, body: "<html>CANARY prompt</html>" }],
  ["upstream_protocol", { kind: "html" }],
  ["upstream_cut", { kind: "cut", after: 1 }],
  ["upstream_cut", { kind: "cut-before" }],
  ["upstream_protocol", { kind: "garbage", after: 1 }],
  ["upstream_protocol", { kind: "huge", after: 1 }],
  [200, { kind: "unknown" }],
  ["upstream_overloaded", { kind: "exception", reason: "REASON_CANARY prompt", message: "PARROT" }],
  [200, { kind: "retract", after: 1 }],
  ["timeout", { kind: "stall", after: 1 }],
];

export const upstreamModes: Mode[] = [
  ...kimiFaults.map(
    ([shows, fault]): Mode => ({
      name: `Kimi: ${fault.kind} ${"code" in fault ? fault.code : "status" in fault ? fault.status : ""}`,
      shows,
      before: ({ gateway }) => gateway.simulator.fault(fault, 10_000),
    }),
  ),
  ...platformFaults.map(
    ([name, shows, script]): Mode => ({
      name: `the platform: ${name}`,
      shows,
      before: ({ platform }) => {
        platform.will(script);
        platform.lists(script);
      },
    }),
  ),
];

export const houseModes: Mode[] = [
  {
    name: "a login that Kimi refuses",
    shows: 503,
    before: ({ gateway: { simulator }, tokens }) => {
      simulator.expireAccessTokens();
      for (const token of tokens) simulator.revoke(token);
    },
  },
  {
    name: "a renewal that fails",
    shows: 502,
    before: ({ gateway: { simulator } }) => {
      simulator.expireAccessTokens();
      simulator.faultRefresh({ status: 500 }, 10_000);
    },
  },
  { name: "an upstream that is gone", shows: 502, before: ({ gateway }) => gateway.simulator.close() },
  { name: "a store that is closed", shows: 500, before: ({ gateway }) => gateway.store.close() },
  {
    name: "a store that cannot be written",
    shows: 500,
    before: ({ gateway }) => refuseWrites(gateway.statePath),
  },
  {
    name: "a folder that is gone",
    shows: 500,
    before: ({ gateway }) => {
      const folder = join(dirname(gateway.statePath), "files");
      rmSync(folder, { recursive: true });
      writeFileSync(folder, "CANARY");
    },
  },
  {
    name: "a shutdown in the middle",
    shows: 503,
    before: ({ gateway }) => gateway.simulator.fault({ kind: "stall", after: 1 }, 10_000),
    meanwhile: async ({ gateway }) => {
      await until(() => gateway.simulator.counts().openStreams > 0);
      await gateway.stop();
    },
  },
];

/** Each write fails, and says what it should not. */
function refuseWrites(path: string): void {
  const database = new Database(path);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables.map((table) => Object(table))) {
    for (const verb of ["INSERT", "UPDATE", "DELETE"])
      database.exec(
        `CREATE TRIGGER "${name}${verb}" BEFORE ${verb} ON "${name}" BEGIN SELECT RAISE(ABORT, 'CANARY'); END`,
      );
  }
  database.close();
}

/** Sends the request as it is. */
export async function ask(
  { url }: Gateway,
  { method, path, body, type }: SweptRoute,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const all = { ...right, ...(type ? { "content-type": type } : {}), ...headers };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  const options = { method, headers: sent, ...(body === undefined ? {} : { body }) };
  const response = await request(url + path, Object(options));
  // A stream that is cut says what it says until then.
  return { status: response.statusCode, body: await response.body.text().catch(() => "") };
}

function presenting(name: string, shows: number, headers: Record<string, string>): Mode {
  return { name, shows, ask: (gateway, route) => ask(gateway, route, headers) };
}

function spoilt(
  name: string,
  shows: number,
  spoil: (route: SweptRoute) => SweptRoute,
  headers?: Record<string, string>,
): Mode {
  return { name, shows, ask: (gateway, route) => ask(gateway, spoil(route), headers) };
}

/** Bytes that no client library would send; reads what comes back, or leaves at its first byte or after a moment. */
async function raw(gateway: Gateway, route: SweptRoute, end: string, reads: boolean): Promise<Outcome> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  let body = "";
  socket.on("data", (data) => {
    body += data;
    if (reads) socket.end();
    else socket.destroy();
  });
  const head = `${route.method} ${route.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\n`;
  socket.write(head + end);
  // Where nothing is answered to a body that never comes.
  setTimeout(() => socket.destroy(), reads ? 2_000 : 300);
  await once(socket, "close");
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(body)?.[1] ?? 0), body };
}
