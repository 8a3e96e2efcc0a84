import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { isObject, type JsonObject, parseObject } from "../../../src/lib/json.js";
import type { OpenAiSettings } from "../../../src/upstreams/openai/kind.js";
import { type Gateway, type GatewayOptions, startGateway } from "../../gateway.js";

/** The platform's API key. Like every secret of the tests it must not appear in a log. */
export const platformKey = "sk-CANARY-platform-key";

/** A request that the platform received, and the state of its connection. */
type Call = {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: JsonObject;
  /** True once the client has closed the connection before the end of the answer. */
  closedEarly: boolean;
};

/** Writes one response. */
export type Script = (response: ServerResponse, call: Call) => void | Promise<void>;

export type Platform = {
  url: string;
  /** The chat calls, in order. */
  calls: Call[];
  /** Sets the responses of the next chat calls, in this order; the last one is repeated. */
  respondWith(...scripts: Script[]): void;
  /** Sets the response of `GET /models`. */
  respondToModelsWith(script: Script): void;
  /** How many connections are open. */
  countConnections(): Promise<number>;
};

const models = [
  { id: "moonshot-v1-8k", object: "model", owned_by: "moonshot", context_length: 8_192 },
  {
    id: "kimi-k2.6",
    object: "model",
    owned_by: "moonshot",
    context_length: 262_144,
    supports_reasoning: true,
  },
  {
    id: "kimi-k2.7-code",
    object: "model",
    owned_by: "moonshot",
    context_length: 262_144,
    supports_reasoning: true,
  },
  {
    id: "kimi-k3",
    object: "model",
    owned_by: "moonshot",
    context_length: 1_048_576,
    supports_reasoning: true,
  },
];

/** A scripted OpenAI-compatible service on a free port, closed when the test ends. */
export async function startPlatform(): Promise<Platform> {
  const calls: Call[] = [];
  let scripts: Script[] = [];
  let modelsScript: Script = json(200, { object: "list", data: models });
  const server = createServer(async (request, response) => {
    const call: Call = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: parseObject(await readBody(request)) ?? {},
      closedEarly: false,
    };
    response.on("close", () => {
      call.closedEarly = !response.writableFinished;
    });
    if (call.path === "/v1/models") return modelsScript(response, call);
    if (call.path !== "/v1/chat/completions") return json(404, {})(response, call);
    calls.push(call);
    const script = scripts.length > 1 ? scripts.shift() : scripts[0];
    await (script ?? json(500, {}))(response, call);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = isObject(address) ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    calls,
    respondWith: (...next) => {
      scripts = next;
    },
    respondToModelsWith: (script) => {
      modelsScript = script;
    },
    countConnections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
  };
}

/** A gateway whose upstream “platform” is this service, beside the simulator's “me”. */
export function gatewayTo(
  platform: Platform,
  config: Partial<OpenAiSettings> = {},
  options: GatewayOptions = {},
): Promise<Gateway> {
  const upstream: OpenAiSettings = {
    name: "platform",
    kind: "openai",
    baseUrl: platform.url,
    apiKey: platformKey,
    preset: "moonshot",
    ...config,
  };
  return startGateway({ ...options, upstreams: () => [upstream] });
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Script {
  return text(status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

export function text(status: number, body: string, headers: Record<string, string> = {}): Script {
  return (response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** An event stream of these parts, each in its own write. */
export function stream(...parts: (string | Buffer)[]): Script {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) {
      response.write(part);
      await setImmediate();
    }
    response.end();
  };
}

/** The same, but the connection is cut at the end. */
export function cutStream(...parts: string[]): Script {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    for (const part of parts) response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
    response.destroy();
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
