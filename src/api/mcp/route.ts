import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../../core/errors.js";
import { isLocalOrigin } from "../../core/local-origin.js";
import { asObject } from "../../lib/json.js";
import type { DialectContext } from "../dialect.js";
import { readTraceContext } from "../trace-context.js";
import { type CallId, RunningCalls } from "./running-calls.js";
import type { ToolContext } from "./server.js";

const sessionHeader = "mcp-session-id";

/** `POST /mcp`. GET and DELETE belong to servers that keep sessions; the SDK refuses them with 405. */
export function mcpRoutes({ chat, options, rateLimit }: DialectContext): FastifyPluginAsyncTypebox {
  const runningCalls = new RunningCalls();
  return async (app) => {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const { principal, stopSignal: signal } = request;
      const callId = (id: string | number): CallId => ({
        key: principal.keyName,
        session: sessionOf(request),
        request: id,
      });
      for (const id of cancelledRequests(request.body)) runningCalls.cancel(callId(id));
      const context: ToolContext = {
        chat,
        principal,
        ...readTraceContext(request.headers),
        record: request.record,
        signal,
        admit: async () => {
          await rateLimit.call(app, request, reply);
        },
        startCall: (id) => runningCalls.start(callId(id)),
        onFailure: (error) => {
          request.failure = error;
        },
      };
      const { createMcpHandler, createMcpServer } = await loadSdk();
      // Nothing is ever announced, so that a subscription would only hold a connection.
      const handler = createMcpHandler(() => createMcpServer(context), {
        responseMode: "sse",
        maxSubscriptions: 0,
      });
      const response = await handler.fetch(toWebRequest(request), { parsedBody: request.body });
      if (response.ok && isInitialization(request.body)) reply.header(sessionHeader, randomUUID());
      return send(reply, response);
    };
    app.addHook("onRequest", async ({ headers }) => checkOrigin(headers.origin, options.origins));
    const schema = { tags: ["mcp"], summary: "MCP: the tools kimi_search, kimi_read and kimi_ask" };
    app.post("/mcp", { schema }, answer);
    app.route({ method: ["GET", "DELETE"], url: "/mcp", schema: { hide: true }, handler: answer });
  };
}

/** The SDK is loaded with the first request: most servers get none, and each would start a quarter of a second later. */
async function loadSdk() {
  const [{ createMcpHandler }, { createMcpServer }] = await Promise.all([
    import("@modelcontextprotocol/server"),
    import("./server.js"),
  ]);
  return { createMcpHandler, createMcpServer };
}

/**
 * The MCP specification demands this against web pages that reach a local server by DNS rebinding. `*` among the origins
 * does not count: it opens the API to pages that have a key. Throws `origin_forbidden`.
 */
function checkOrigin(origin: string | undefined, origins: readonly string[]): void {
  if (origin === undefined || isLocalOrigin(origin) || origins.includes(origin)) return;
  throw new GatewayError(
    "origin_forbidden",
    "Web pages of this origin may not use /mcp. List the origin in server.cors by its name to allow it.",
  );
}

/** The headers of the protocol, without the key. The body is passed on parsed. */
function toWebRequest({ method, headers }: FastifyRequest): Request {
  const passed = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value !== undefined && /^(accept|content-type|mcp-.*)$/.test(name) ? [[name, String(value)]] : [],
  );
  return new Request("http://localhost/mcp", { method, headers: passed });
}

/** Begins a stream with a comment, since Node sends the headers with the first bytes, and a call may take minutes. */
function send(reply: FastifyReply, response: Response): FastifyReply {
  const { body, headers } = response;
  if (!body || headers.get("content-type") !== "text/event-stream") return reply.send(response);
  const stream = async function* () {
    yield ": the call is running\n\n";
    yield* body;
  };
  return reply
    .status(response.status)
    .headers({ ...Object.fromEntries(headers), "x-accel-buffering": "no" })
    .send(Readable.from(stream(), { objectMode: false }));
}

function sessionOf({ headers }: FastifyRequest): string | undefined {
  const session = headers[sessionHeader];
  return typeof session === "string" && session.length <= 100 ? session : undefined;
}

/** The ids of requests that the messages cancel. */
function cancelledRequests(body: unknown): (string | number)[] {
  return [body].flat().flatMap((message) => {
    const { method, params } = asObject(message) ?? {};
    const id = method === "notifications/cancelled" ? asObject(params)?.requestId : undefined;
    return typeof id === "string" || typeof id === "number" ? [id] : [];
  });
}

function isInitialization(body: unknown): boolean {
  return asObject(body)?.method === "initialize";
}
