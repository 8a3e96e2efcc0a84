import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { request } from "undici";
import type { Fault } from "../../simulator/index.js";
import type { ErrorCode } from "../../src/core/errors.js";
import { apiKey, type Gateway, waitUntil } from "../gateway.js";
import {
  cutStream,
  json,
  type Platform,
  type Script,
  stream,
  text,
} from "../upstreams/openai/scripted-platform.js";
import type { SweptRoute } from "./sweep-routes.js";

/** An API key of the sweep's gateway that has expired. */
export const expiredKey = "sk-CANARY-expired";
/** An API key of the sweep's gateway without the scope `chat`. */
export const adminOnlyKey = "sk-CANARY-admin-alone";

/** What a failure mode can act on; `refreshTokens` are those of the Kimi accounts. */
export type SweepEnvironment = { gateway: Gateway; platform: Platform; refreshTokens: string[] };
/** A response; status 0 if there was none. */
export type Outcome = { status: number; body: string };

/** A way in which requests fail: how the environment is prepared for it, and how each request is sent. */
export type FailureMode = {
  name: string;
  /** A status or a log `failure` that at least one route must have, as proof that the mode took effect. */
  expectedOutcome: number | ErrorCode;
  /** True if the path itself contains CANARY, since a 404 response quotes the path. */
  echoesPath?: boolean;
  /** Runs before the requests. */
  prepare?: (environment: SweepEnvironment) => unknown;
  /** Sends the request of a route; default `sendRequest`. */
  send?: (gateway: Gateway, route: SweptRoute) => Promise<Outcome>;
  /** Runs while the requests are active. */
  duringRequests?: (environment: SweepEnvironment) => unknown;
};

const validHeaders = { authorization: `Bearer ${apiKey}` };
/** The OAuth issuer of the sweep's gateway; no server listens at this address. */
export const unreachableIssuer = "http://127.0.0.1:1";
/** The first two parts of a JWT by this issuer. */
const unsignedToken = (iss: string) =>
  [
    { alg: "RS256", kid: "CANARY" },
    { iss, sub: "CANARY" },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");

/** Headers that might be logged, with private values. */
const privateHeaders = {
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

/** Failures that the client causes, and valid requests. */
export const requestModes: FailureMode[] = [
  { name: "valid requests", expectedOutcome: 200 },
  withHeaders("headers with private values", 200, privateHeaders),
  withHeaders("no key", 401, { authorization: "" }),
  withHeaders("a wrong key", 401, { authorization: "Bearer sk-CANARY-wrong" }),
  withHeaders("a wrong key in other headers", 401, {
    authorization: "",
    "x-api-key": "CANARY",
    "api-key": "CANARY",
  }),
  withHeaders("an expired key", 401, { authorization: `Bearer ${expiredKey}` }),
  withHeaders("a key without the scope", 403, { authorization: `Bearer ${adminOnlyKey}` }),
  withHeaders("a token of an unknown issuer", 401, {
    authorization: `Bearer ${unsignedToken("CANARY")}.CANARY`,
  }),
  withHeaders("a token of an unreachable issuer", 503, {
    authorization: `Bearer ${unsignedToken(unreachableIssuer)}.CANARY`,
  }),
  withHeaders("HTTP Basic", 401, {
    authorization: `Basic ${Buffer.from("CANARY:CANARY").toString("base64")}`,
  }),
  withHeaders("an unknown content type", 400, {
    "content-type": "CANARY/CANARY; charset=CANARY",
  }),
  withHeaders("a form without a boundary", 400, { "content-type": "multipart/form-data; CANARY" }),
  withHeaders("an unknown content encoding", 400, {
    "content-encoding": "CANARY",
    "content-type": "multipart/form-data",
  }),
  withChange(
    "the key in the query string",
    401,
    (route) => ({
      ...route,
      path: `${route.path}?key=${apiKey}&access_token=CANARY&CANARY=CANARY&limit=CANARY&order=CANARY&after=CANARY`,
    }),
    { authorization: "" },
  ),
  withChange("an invalid query string", 400, (route) => ({
    ...route,
    path: `${route.path}?limit=CANARY&order=CANARY&after=CANARY&purpose=CANARY&%=CANARY`,
  })),
  {
    ...withChange("a private value in the path", 404, (route) => ({
      ...route,
      path: `${route.path}/CANARY`,
    })),
    echoesPath: true,
  },
  withChange("a body that is not JSON", 400, (route) => ({ ...route, body: 'CANARY {"messages": "CANARY' })),
  withChange("a truncated body", 400, (route) => ({
    ...route,
    body: route.body?.slice(0, -20) ?? "CANARY",
  })),
  withChange("a body with fields of wrong types", 400, (route) => ({
    ...route,
    body: JSON.stringify(wrongTypes),
    type: "application/json",
  })),
  withChange("message content of a wrong type", 400, (route) => ({
    ...route,
    body: JSON.stringify(wrongContent),
    type: "application/json",
  })),
  withChange("an unknown role", 400, (route) => ({
    ...route,
    body: JSON.stringify(unknownRole),
    type: "application/json",
  })),
  withChange("a form of an unknown grant", 400, (route) => ({
    ...route,
    body: "grant_type=CANARY&client_id=CANARY&client_secret=CANARY&username=CANARY&password=CANARY&scope=CANARY",
    type: "application/x-www-form-urlencoded",
  })),
  withChange("a token request with a wrong password", 400, (route) => ({
    ...route,
    body: "grant_type=password&username=CANARY&password=CANARY&scope=CANARY",
    type: "application/x-www-form-urlencoded",
  })),
  {
    name: "a body over the size limit",
    expectedOutcome: 413,
    send: (gateway, route) => sendRaw(gateway, route, "content-length: 999999999999\r\n\r\nCANARY", true),
  },
  {
    name: "a disconnect during the request",
    expectedOutcome: "cancelled",
    send: (gateway, route) => sendRaw(gateway, route, "content-length: 1000\r\n\r\nCANARY {", false),
  },
  {
    name: "a disconnect during the answer",
    expectedOutcome: "cancelled",
    prepare: ({ gateway }) => gateway.simulator.fault({ kind: "stall", after: 1 }, 10_000),
    send: (gateway, { body = "", ...route }) =>
      sendRaw(
        gateway,
        route,
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        false,
        untilAnswering(gateway),
      ),
  },
  {
    name: "a malformed header",
    expectedOutcome: 400,
    send: (gateway, route) => sendRaw(gateway, route, "CANARY CANARY\r\n\r\n", true),
  },
  {
    name: "a malformed request line",
    expectedOutcome: 400,
    send: (gateway, route) => sendRaw(gateway, { ...route, method: "CANARY" }, "\r\n", true),
  },
];

const wrongTypes = {
  model: { CANARY: 1 },
  messages: "CANARY",
  temperature: "CANARY",
  stream: "CANARY",
  grant_type: "CANARY",
};
const wrongContent = {
  model: "kimi",
  messages: [{ role: "user", content: { CANARY: "CANARY" } }],
  user: "CANARY",
};
const unknownRole = {
  model: "kimi",
  messages: [{ role: "CANARY", content: "CANARY" }],
  tool_choice: "CANARY",
};

/** Failures of the OpenAI-compatible platform. Its error texts contain PARROT, which only the client may receive. */
const platformFaults: [name: string, expectedOutcome: number, script: Script][] = [
  [
    "401",
    424,
    json(401, { error: { message: "CANARY sk-CANARY-platform-key", type: "invalid_authentication_error" } }),
  ],
  ["429", 429, json(429, { error: { message: "PARROT", type: "rate_limit_reached_error" } })],
  [
    "a 500 page",
    502,
    text(500, "<html>CANARY my CANARY prompt</html>", { "content-type": "text/html", "x-CANARY": "CANARY" }),
  ],
  ["invalid JSON", 502, stream("data: CANARY {\n\n", "data: [DONE]\n\n")],
  [
    "an error in the stream",
    502,
    stream('data: {"error":{"message":"PARROT","type":"PARROT PARROT","code":"PARROT PARROT"}}\n\n'),
  ],
  ["a broken stream", 502, cutStream('data: {"choices":[{"index":0,"delta":{"content":"CANARY"}}]}\n\n')],
];

/** Faults of Kimi, applied over both protocols. */
const kimiFaults: [expectedOutcome: number | ErrorCode, fault: Fault][] = [
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
  ["upstream_unavailable", { kind: "http", status: 500, body: '{"message":"CANARY prompt"' }],
  ["upstream_unavailable", { kind: "http", status: 401, body: "<html>CANARY prompt</html>" }],
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

/** Failures of an upstream. */
export const upstreamModes: FailureMode[] = [
  ...kimiFaults.map(
    ([expectedOutcome, fault]): FailureMode => ({
      name: `Kimi: ${fault.kind} ${"code" in fault ? fault.code : "status" in fault ? fault.status : ""}`,
      expectedOutcome,
      prepare: ({ gateway }) => gateway.simulator.fault(fault, 10_000),
    }),
  ),
  ...platformFaults.map(
    ([name, expectedOutcome, script]): FailureMode => ({
      name: `the platform: ${name}`,
      expectedOutcome,
      prepare: ({ platform }) => {
        platform.respondWith(script);
        platform.respondToModelsWith(script);
      },
    }),
  ),
];

/** Failures of credentials, the store, the file folder and the process. */
export const environmentModes: FailureMode[] = [
  {
    name: "credentials that Kimi refuses",
    expectedOutcome: 424,
    prepare: ({ gateway: { simulator }, refreshTokens }) => {
      simulator.expireAccessTokens();
      for (const token of refreshTokens) simulator.revoke(token);
    },
  },
  {
    name: "a failing token refresh",
    expectedOutcome: 502,
    prepare: ({ gateway: { simulator } }) => {
      simulator.expireAccessTokens();
      simulator.faultRefresh({ status: 500 }, 10_000);
    },
  },
  {
    name: "an unreachable upstream",
    expectedOutcome: 502,
    prepare: ({ gateway }) => gateway.simulator.close(),
  },
  { name: "a closed store", expectedOutcome: 500, prepare: ({ gateway }) => gateway.store.close() },
  {
    name: "a store that fails every write",
    expectedOutcome: 500,
    prepare: ({ gateway }) => failAllWrites(gateway.storePath),
  },
  {
    name: "a file folder that is not a directory",
    expectedOutcome: 500,
    prepare: ({ gateway }) => {
      const folder = join(dirname(gateway.storePath), "files");
      rmSync(folder, { recursive: true });
      writeFileSync(folder, "CANARY");
    },
  },
  {
    name: "a shutdown during requests",
    expectedOutcome: 503,
    prepare: ({ gateway }) => gateway.simulator.fault({ kind: "stall", after: 1 }, 10_000),
    duringRequests: async ({ gateway }) => {
      await waitUntil(() => gateway.simulator.counts().openStreams > 0);
      await gateway.stop();
    },
  },
];

/** Makes every write fail with an error message that contains CANARY. */
function failAllWrites(path: string): void {
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

/** Sends the request of a route; an empty header value removes the default header. */
export async function sendRequest(
  { url }: Gateway,
  { method, path, body, type }: SweptRoute,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const allHeaders = { ...validHeaders, ...(type ? { "content-type": type } : {}), ...headers };
  const sentHeaders = Object.fromEntries(Object.entries(allHeaders).filter(([, value]) => value !== ""));
  const options = { method, headers: sentHeaders, ...(body === undefined ? {} : { body }) };
  const response = await request(url + path, Object(options));
  // The part of a broken stream that arrived is not checked.
  return { status: response.statusCode, body: await response.body.text().catch(() => "") };
}

/** A mode that adds headers to each request. */
function withHeaders(name: string, expectedOutcome: number, headers: Record<string, string>): FailureMode {
  return { name, expectedOutcome, send: (gateway, route) => sendRequest(gateway, route, headers) };
}

/** A mode that changes each request. */
function withChange(
  name: string,
  expectedOutcome: number,
  change: (route: SweptRoute) => SweptRoute,
  headers?: Record<string, string>,
): FailureMode {
  return {
    name,
    expectedOutcome,
    send: (gateway, route) => sendRequest(gateway, change(route), headers),
  };
}

/**
 * Sends the request line, valid authorization and then `rest` as raw bytes. Reads the response, or disconnects at its first
 * byte, at the latest after 300 ms.
 */
async function sendRaw(
  gateway: Gateway,
  route: SweptRoute,
  rest: string,
  readsResponse: boolean,
  untilDisconnect = sleep(readsResponse ? 2_000 : 300),
): Promise<Outcome> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  let body = "";
  socket.on("data", (data) => {
    body += data;
    if (readsResponse) socket.end();
    else socket.destroy();
  });
  const head = `${route.method} ${route.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\n`;
  socket.write(head + rest);
  // There may be no response to an incomplete body.
  void untilDisconnect.then(() => socket.destroy());
  await once(socket, "close");
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(body)?.[1] ?? 0), body };
}

/** Resolves when Kimi answers the first of the requests, so that a disconnect then comes before any time-out. */
async function untilAnswering({ simulator }: Gateway): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (simulator.counts().openStreams === 0 && performance.now() < deadline) await sleep(10);
}
