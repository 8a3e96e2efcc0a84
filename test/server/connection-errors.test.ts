import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../src/observability/log.js";
import { ConnectionErrors } from "../../src/server/connection-errors.js";
import { apiKey, chatBody, startGateway } from "../gateway.js";

const origin = "https://ui.example";
const headers = `Host: moonbridge\r\nOrigin: ${origin}\r\n`;
const authorization = `Authorization: Bearer ${apiKey}\r\n`;
const chatLine = "POST /v1/chat/completions HTTP/1.1\r\n";

type RawResponse = { status: number; headers: Headers; body: string };

/** Sends bytes over a socket and reads until the server closes the connection. */
function sendRaw(gateway: { url: string }, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1", () =>
      socket.write(text, "latin1"),
    );
    let received = "";
    socket.on("data", (data) => {
      received += data;
    });
    socket.on("error", reject);
    socket.on("end", () => {
      socket.end();
      resolve(received);
    });
  });
}

function parseResponse(text: string): RawResponse {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const pairs = lines.map((line): [string, string] => {
    const [name = "", ...value] = line.split(": ");
    return [name, value.join(": ")];
  });
  return { status: Number(statusLine.split(" ")[1]), headers: new Headers(pairs), body };
}

function expectEnvelope(response: RawResponse, status: number, code: string): void {
  expect([response.status, response.body]).toEqual([status, expect.stringContaining('"error"')]);
  expect(JSON.parse(response.body)).toEqual({
    error: {
      message: expect.any(String),
      type: "invalid_request_error",
      param: code === "model_not_found" ? "model" : null,
      code,
    },
  });
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("access-control-expose-headers")).toMatch(/x-request-id/);
}

const malformed: [name: string, request: string, status: number, code: string][] = [
  [
    "headers that are too large",
    `GET /healthz HTTP/1.1\r\n${headers}Cookie: ${"a".repeat(20_000)}\r\n\r\n`,
    431,
    "headers_too_large",
  ],
  ["TLS on the HTTP port", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "invalid_request"],
  ["a malformed header", `GET /healthz HTTP/1.1\r\n${headers}Bad Header: x\r\n\r\n`, 400, "invalid_request"],
  ["a method in lower case", `get /healthz HTTP/1.1\r\n${headers}\r\n`, 400, "invalid_request"],
  ["an unknown version", `GET /healthz HTTP/9.9\r\n${headers}\r\n`, 400, "invalid_request"],
  ["a path without a slash", `GET healthz HTTP/1.1\r\n${headers}\r\n`, 400, "invalid_request"],
  [
    "no host",
    `GET /healthz HTTP/1.1\r\nOrigin: ${origin}\r\nConnection: close\r\n\r\n`,
    400,
    "invalid_request",
  ],
  ["CONNECT", `CONNECT example.org:443 HTTP/1.1\r\n${headers}\r\n`, 404, "not_found"],
  [
    "a length besides chunks",
    `${chatLine}${headers}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "invalid_request",
  ],
  [
    "a malformed chunk",
    `${chatLine}${headers}${authorization}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`,
    400,
    "invalid_request",
  ],
  [
    "too large chunk extensions",
    `${chatLine}${headers}${authorization}Transfer-Encoding: chunked\r\n\r\n5;${"a".repeat(20_000)}\r\nabc\r\n`,
    413,
    "request_too_large",
  ],
  [
    "an id longer than any id",
    `GET /v1/models/${"x".repeat(3_000)} HTTP/1.1\r\n${headers}${authorization}Connection: close\r\n\r\n`,
    404,
    "model_not_found",
  ],
];

describe("a request that the HTTP server itself refuses gets the error envelope and CORS headers:", () => {
  test.each(malformed)("%s", async (_name, request, status, code) => {
    const gateway = await startGateway();
    const response = parseResponse(await sendRaw(gateway, request));
    expectEnvelope(response, status, code);
    expect(["*", origin]).toContain(response.headers.get("access-control-allow-origin"));
  });

  test("origins other than the configured ones cannot read it", async () => {
    const gateway = await startGateway({ server: { cors: [origin] } });
    const allowedFor = async (requestOrigin: string) => {
      const request = `GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: ${requestOrigin}\r\nBad Header: x\r\n\r\n`;
      const response = parseResponse(await sendRaw(gateway, request));
      return [
        response.status,
        response.headers.get("access-control-allow-origin"),
        response.headers.get("vary"),
      ];
    };
    expect(await allowedFor(origin)).toEqual([400, origin, "Origin"]);
    expect(await allowedFor("https://other.example")).toEqual([400, null, null]);
  });

  test("it is logged with its id, and without its bytes", async () => {
    const gateway = await startGateway();
    const [, request = ""] = malformed[0] ?? [];
    const response = parseResponse(await sendRaw(gateway, request));
    expect(gateway.logEntries()).toContainEqual(
      expect.objectContaining({ reqId: response.headers.get("x-request-id"), failure: "headers_too_large" }),
    );
  });
});

test("malformed bytes after a request do not get into its answer", async () => {
  const gateway = await startGateway();
  const body = JSON.stringify(chatBody("sim:slow=20 sim:repeat=30", { stream: true }));
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const received = await new Promise<string>((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1", () =>
      socket.write(`${chatLine}${headers}${authorization}${length}${body}`),
    );
    let text = "";
    socket.on("data", (data) => {
      if (!text.includes("data:") && String(data).includes("data:")) socket.write("\x16\x03\x01\r\n\r\n");
      text += data;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  expect(received).toContain("data:");
  expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(received).not.toContain("invalid_request");
});

describe("requests in unusual but valid forms are served:", () => {
  test.each([
    ["the absolute form", `GET http://moonbridge/healthz?x=1 HTTP/1.1\r\n${headers}`],
    ["an unknown expectation", `GET /healthz HTTP/1.1\r\n${headers}Expect: 200-ok\r\n`],
    ["an upgrade", `GET /healthz HTTP/1.1\r\n${headers}Upgrade: h2c\r\n`],
    ["HTTP/1.0 without a host", "GET /healthz HTTP/1.0\r\n"],
  ])("%s", async (_name, request) => {
    const gateway = await startGateway();
    const response = parseResponse(await sendRaw(gateway, `${request}Connection: close\r\n\r\n`));
    expect([response.status, response.body]).toEqual([200, '{"status":"ok"}']);
  });
});

test("a request that does not arrive in time is a 408", async () => {
  const server = createServer({ requestTimeout: 200, headersTimeout: 200, connectionsCheckingInterval: 50 });
  const log = createLog("silent", { write: () => {} });
  const errors = new ConnectionErrors({ origins: () => ["*"], log, requestId: () => "req_1" });
  errors.watch(server);
  server.on("clientError", (error, socket) => errors.handleClientError(error, socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const received = await sendRaw({ url: `http://127.0.0.1:${port}` }, `${chatLine}${headers}`);
  expectEnvelope(parseResponse(received), 408, "request_timeout");
});

test.each([
  ["a field", '"metadata":', ',"messages":[{"role":"user","content":"x"}]'],
  ["a message", '"messages":[{"role":"user","content":', "}]"],
])("%s nested 20,000 levels deep is a 400 in the error envelope", async (_name, start, end) => {
  const gateway = await startGateway();
  const value = "[".repeat(20_000) + "]".repeat(20_000);
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, origin },
    body: `{"model":"kimi",${start}${value}${end}}`,
  });
  expect(response.status).toBe(400);
  expect(response.headers.get("access-control-allow-origin")).toBe(origin);
  expect(await response.json()).toMatchObject({ error: { code: "invalid_request" } });
});
