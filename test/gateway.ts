import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../simulator/index.js";
import { createApp } from "../src/app/create-app.js";
import type { TransformFactory } from "../src/chat/transforms/transform.js";
import type { KeyConfig } from "../src/config/key-schema.js";
import { OAuthSchema } from "../src/config/oauth-schema.js";
import {
  ChatsSchema,
  type Config,
  FilesSchema,
  JournalSchema,
  QueueSchema,
  ServerSchema,
  StreamsSchema,
  ToolsSchema,
} from "../src/config/schema.js";
import { readTlsFiles } from "../src/config/tls.js";
import type { UpstreamConfig } from "../src/config/upstream-settings.js";
import { checkSchema } from "../src/config/validate.js";
import type { Store } from "../src/core/store.js";
import type { TokenPair } from "../src/core/token.js";
import type { ToolMode } from "../src/core/types.js";
import { createLog } from "../src/observability/log.js";
import { LogTail } from "../src/observability/log-tail.js";
import type { ProtocolDrift } from "../src/observability/protocol-drift.js";
import type { Recorder } from "../src/observability/recording/recorder.js";
import { ProxyRules } from "../src/proxy/proxy-rules.js";

/** The API key of every test gateway. The run fails if a log contains it, or any token (setup/log-secrets.ts). */
export const apiKey = "sk-CANARY-key";

/** A running gateway with its simulator. */
export type Gateway = {
  url: string;
  /** The same gateway at the ports of `server.alsoListen`. */
  furtherUrls: readonly string[];
  simulator: Simulator;
  drift: ProtocolDrift;
  /** Replaces the configured upstreams while the gateway runs. */
  replaceUpstreams(upstreams: readonly UpstreamConfig[]): Promise<void>;
  /** Replaces parts of the configuration that the gateway was started with. */
  replaceConfig(changes: Partial<Config>): Promise<void>;
  /** The parsed lines of the log so far. */
  logEntries(): Record<string, unknown>[];
  /** The path of the database file, if the store is one. */
  storePath: string;
  store: Store;
  /** The configuration that it was started with. */
  config: Config;
  /** A code that opens a session of the console once. */
  createLoginCode(): Promise<string>;
  /** Runs the cleanup of expired chats, which otherwise runs every minute. */
  deleteExpiredChats(): void;
  /** A client of the gateway; it does not retry. */
  client: OpenAI;
  /** Stops gateway and simulator; further calls return the same promise. */
  stop(): Promise<void>;
};

/** The upstream kinds of Kimi's web chat, one for each protocol. */
export type KimiKind = "kimi-web" | "kimi-legacy";

export type GatewayOptions = {
  /** Default `kimi-web`, the current protocol. */
  kind?: KimiKind;
  /** Unlike on Kimi, a cancelled answer frees its chat at once, unless `cancelMilliseconds` is given. */
  simulator?: SimulatorOptions;
  server?: Record<string, unknown>;
  /** The URL of a Redis that is the store; default a database of its own. */
  redis?: string;
  /** Returns the credentials of the account; default a new pair. */
  tokens?: (simulator: Simulator) => TokenPair;
  /** Milliseconds until an upstream without data (`idle`), or with nothing but heartbeats (`progress`), has stalled. */
  timeouts?: { idle: number; progress: number; parse?: number; cutAnswer?: number };
  /** Records the calls to Kimi. */
  recorder?: Recorder;
  /** Base URL of the upstream and of its account gateway; default the simulator. */
  baseUrl?: string;
  routes?: Record<string, string[]>;
  modelAliases?: Record<string, string>;
  chats?: { mode?: string; keepHours?: number; windows?: string };
  /** Returns additional upstreams. */
  upstreams?: (simulator: Simulator) => UpstreamConfig[];
  /** Additional API keys. */
  keys?: KeyConfig[];
  /** Config of an OAuth issuer whose tokens are accepted. */
  oauth?: Record<string, unknown>;
  sideRequestPatterns?: string[];
  /** Config of files; unlike the product, `promptLinks` defaults to "off". */
  files?: Record<string, unknown>;
  queue?: Record<string, unknown>;
  streams?: Record<string, unknown>;
  tools?: Record<string, unknown>;
  notify?: Config["notify"];
  journal?: Record<string, unknown>;
  /** `tools` of the upstream; default "emulate". */
  toolMode?: ToolMode;
  /** Between each turn and its upstream. */
  transforms?: readonly TransformFactory[];
  /** The proxies of the environment; default none. */
  proxies?: ProxyRules;
  /** `proxy` of the upstream. */
  proxy?: string;
  /** Default "trace". */
  logLevel?: string;
  /** Concurrent answers of the account; default 10,000, or 1 over the legacy protocol. */
  concurrency?: number;
};

/** Starts a gateway on a free port with its own simulator; both stop when the test ends. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const simulator = await startSimulator({ cancelMilliseconds: 0, ...options.simulator });
  const storePath = join(mkdtempSync(join(tmpdir(), "moonbridge-test-")), "state.db");
  const logLines: string[] = [];
  const logLevel = options.logLevel ?? "trace";
  const logTail = new LogTail();
  const destination = { write: (line: string) => appendLogLine(line, logLines) };
  const log = createLog(logLevel, destination, logTail);
  const { chats, sideRequestPatterns, routes, modelAliases } = options;
  const account = {
    name: "me",
    baseUrl: options.baseUrl ?? simulator.url,
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    ...(options.toolMode ? { tools: options.toolMode } : {}),
    ...(options.tokens?.(simulator) ?? simulator.issue()),
  };
  const { tls, ...serverSettings } = checkSchema(
    { port: 0, shutdownSeconds: 5, ...options.server },
    ServerSchema,
  );
  const config: Config = {
    configFile: { kind: "none", searched: [] },
    server: { ...serverSettings, ...(tls ? { tls: await readTlsFiles(tls, ".", []) } : {}) },
    keys: [{ name: "test", key: apiKey, scopes: ["chat", "admin"] }, ...(options.keys ?? [])],
    ...(options.oauth ? { oauth: checkSchema(options.oauth, OAuthSchema) } : {}),
    upstreams: [
      options.kind === "kimi-legacy"
        ? { ...account, kind: options.kind, concurrency: options.concurrency ?? 1 }
        : {
            ...account,
            kind: "kimi-web",
            authUrl: account.baseUrl,
            concurrency: options.concurrency ?? 10_000,
          },
      ...(options.upstreams?.(simulator) ?? []),
    ],
    routes: routes ?? {},
    modelAliases: modelAliases ?? {},
    chats: checkSchema(chats ?? {}, ChatsSchema),
    citations: "inline",
    sideRequestPatterns: sideRequestPatterns ?? [],
    streams: checkSchema(options.streams ?? {}, StreamsSchema),
    queue: checkSchema(options.queue ?? {}, QueueSchema),
    files: {
      ...checkSchema({ promptLinks: "off", ...options.files }, FilesSchema),
      folder: join(dirname(storePath), "files"),
    },
    tools: checkSchema(options.tools ?? {}, ToolsSchema),
    notify: options.notify ?? {},
    store:
      options.redis === undefined
        ? { kind: "sqlite", path: storePath }
        : { kind: "redis", url: options.redis },
    encryptionKeys: options.redis === undefined ? [] : [Buffer.alloc(32, 1)],
    journal: checkSchema(options.journal ?? {}, JournalSchema),
    proxies: options.proxies ?? new ProxyRules(),
    log: { level: logLevel },
    warnings: [],
  };
  const app = await createApp(config, log, {
    timeouts: options.timeouts,
    recorder: options.recorder,
    logTail,
    transforms: options.transforms ?? [],
  });
  const server = await app.listen();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= server
      .stop()
      .then(() => app.close())
      .then(() => simulator.close());
    return stopping;
  };
  onTestFinished(stop);
  const client = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
  return {
    url: server.url,
    furtherUrls: server.furtherUrls,
    simulator,
    drift: app.drift,
    replaceUpstreams: (upstreams) => app.replaceConfig({ ...config, upstreams: [...upstreams] }),
    replaceConfig: (changes) => app.replaceConfig({ ...config, ...changes }),
    logEntries: () => logLines.map((line) => JSON.parse(line)),
    storePath,
    store: app.store,
    config,
    createLoginCode: app.createLoginCode,
    deleteExpiredChats: () => app.cleanup.sweep(),
    client,
    stop,
  };
}

/** Posts a chat completion with fetch; a string body is sent as it is. */
export function postChat(gateway: Gateway, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

/** The body of a chat completion with one user message and additional fields. */
export function chatBody(content: string, fields: Record<string, unknown> = {}) {
  return { model: "kimi", messages: [{ role: "user", content }], ...fields };
}

/** The data of each event. Throws unless the stream has the strict form that every client parses (clients.md §0.3). */
function parseDataLines(body: string): string[] {
  if (body.includes("\r")) throw new Error("a CR in an event stream");
  return body.split("\n\n").flatMap((event) => {
    if (event === "" || event === ": keep-alive") return [];
    if (!event.startsWith("data: ") || event.includes("\n"))
      throw new Error(`not a strict event: ${event.slice(0, 80)}`);
    if (Buffer.byteLength(event) > 60_000) throw new Error("an event over 60,000 bytes");
    return [event.slice("data: ".length)];
  });
}

/** A chat completion chunk, or the error event of a stream. */
export type Chunk = {
  id: string;
  created: number;
  model: string;
  choices: {
    delta: { role?: string; content?: string; reasoning_content?: string };
    finish_reason: string | null;
  }[];
  usage?: Record<string, unknown>;
  error?: { code: string; message: string; type: string };
};

/** The chunks of a finished stream. Throws unless it ends with `[DONE]`. */
export function parseChunks(body: string): Chunk[] {
  const lines = parseDataLines(body);
  if (lines.at(-1) !== "[DONE]") throw new Error(`the stream does not end with [DONE] but ${lines.at(-1)}`);
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** The text of an answer, from all its chunks. */
export function contentOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

/** Resolves when the condition is true; rejects after ten seconds. */
export async function waitUntil(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Adds a line to `lines` and to the log of the whole test run. */
function appendLogLine(line: string, lines: string[]): void {
  lines.push(line);
  const file = process.env.MOONBRIDGE_TEST_LOG;
  if (file) appendFileSync(file, line);
}
