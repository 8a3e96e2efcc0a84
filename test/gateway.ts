import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../simulator/index.js";
import { openHouse } from "../src/app/create-app.js";
import type { KeyConfig } from "../src/config/key-schema.js";
import { OAuth } from "../src/config/oauth-schema.js";
import { Chats, type Config, Files, Queue, Server } from "../src/config/schema.js";
import type { UpstreamConfig } from "../src/config/upstream-schema.js";
import { check } from "../src/config/validate.js";
import type { Store } from "../src/core/store.js";
import type { TokenPair } from "../src/core/token.js";
import { createLog } from "../src/observability/log.js";
import type { Drift } from "../src/observability/protocol-drift.js";
import type { Recorder } from "../src/observability/recording/recorder.js";
import { startServer } from "../src/server/server.js";

/** The key of every test gateway. The whole run's logs are searched for it, and for every token (canary.ts). */
export const apiKey = "sk-CANARY-key";

export type Gateway = {
  url: string;
  simulator: Simulator;
  drift: Drift;
  /** The log so far, one parsed line an entry. */
  log(): Record<string, unknown>[];
  statePath: string;
  store: Store;
  /** Looks for chats that are due, as it does every minute. */
  sweep(): void;
  client: OpenAI;
  stop(): Promise<void>;
};

/** The protocols in which Kimi's web chat can be spoken to. */
export type Kind = "kimi-web" | "kimi-legacy";

export type GatewayOptions = {
  /** Default: the current one. */
  kind?: Kind;
  simulator?: SimulatorOptions;
  server?: Record<string, unknown>;
  tokens?: (simulator: Simulator) => TokenPair;
  /** Milliseconds of upstream silence, and of heartbeats alone, that count as a stall. */
  patience?: { silence: number; progress: number; parse?: number };
  /** Writes down what is said to Kimi. */
  recorder?: Recorder;
  /** Another upstream than the simulator. */
  baseUrl?: string;
  routes?: Record<string, string[]>;
  chats?: { mode?: string; keepHours?: number };
  /** Further upstreams beside the usual one. */
  upstreams?: (simulator: Simulator) => UpstreamConfig[];
  /** Further keys beside the usual one. */
  keys?: KeyConfig[];
  /** An issuer whose tokens are good. */
  oauth?: Record<string, unknown>;
  chores?: string[];
  /** Links in prompts are left alone unless a test is about them. */
  files?: Record<string, unknown>;
  queue?: Record<string, unknown>;
  /** Answers at a time; as many as anybody asks for unless a test is about the queue. */
  concurrency?: number;
};

/** A gateway on a free port in front of a simulator of its own, both stopped when the test ends. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const simulator = await startSimulator(options.simulator);
  const statePath = join(mkdtempSync(join(tmpdir(), "moonbridge-test-")), "state.db");
  const lines: string[] = [];
  const log = createLog("trace", { write: (line: string) => record(line, lines) });
  const { chats, chores, routes } = options;
  const account = {
    name: "me",
    baseUrl: options.baseUrl ?? simulator.url,
    ...(options.tokens?.(simulator) ?? simulator.issue()),
  };
  const config: Config = {
    server: check({ port: 0, shutdownSeconds: 5, ...options.server }, Server),
    keys: [{ name: "test", key: apiKey, scopes: ["chat", "admin"] }, ...(options.keys ?? [])],
    ...(options.oauth ? { oauth: check(options.oauth, OAuth) } : {}),
    upstreams: [
      options.kind === "kimi-legacy"
        ? { ...account, kind: options.kind, concurrency: options.concurrency ?? 1 }
        : {
            ...account,
            kind: "kimi-web",
            authUrl: simulator.url,
            concurrency: options.concurrency ?? 10_000,
          },
      ...(options.upstreams?.(simulator) ?? []),
    ],
    routes: routes ?? {},
    chats: check(chats ?? {}, Chats),
    citations: "inline",
    chores: chores ?? [],
    queue: check(options.queue ?? {}, Queue),
    files: {
      ...check({ promptLinks: "off", ...options.files }, Files),
      folder: join(dirname(statePath), "files"),
    },
    storePath: statePath,
    sealKeys: [],
    log: { level: "trace" },
    warnings: [],
  };
  const house = await openHouse(config, log, { patience: options.patience, recorder: options.recorder });
  const server = await startServer({ ...house, log, config });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= server
      .stop()
      .then(() => house.close())
      .then(() => simulator.close());
    return stopping;
  };
  onTestFinished(stop);
  const client = new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 });
  return {
    url: server.url,
    simulator,
    drift: house.drift,
    log: () => lines.map((line) => JSON.parse(line)),
    statePath,
    store: house.store,
    sweep: () => house.cleanup.sweep(),
    client,
    stop,
  };
}

/** A chat completion request over plain HTTP. */
export function post(gateway: Gateway, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

/** The simplest request with this text. */
export function asking(content: string, more: Record<string, unknown> = {}) {
  return { model: "kimi", messages: [{ role: "user", content }], ...more };
}

/** The data lines of an event stream, checked for the strict form that every parser takes (clients.md §0.3). */
function dataLines(body: string): string[] {
  if (body.includes("\r")) throw new Error("a CR in an event stream");
  return body.split("\n\n").flatMap((event) => {
    if (event === "" || event === ": keep-alive") return [];
    if (!event.startsWith("data: ") || event.includes("\n"))
      throw new Error(`not a strict event: ${event.slice(0, 80)}`);
    if (Buffer.byteLength(event) > 60_000) throw new Error("an event over 60,000 bytes");
    return [event.slice("data: ".length)];
  });
}

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

/** The chunks of a finished stream; fails unless it ends with `[DONE]`. */
export function chunksOf(body: string): Chunk[] {
  const lines = dataLines(body);
  if (lines.at(-1) !== "[DONE]") throw new Error(`the stream does not end with [DONE] but ${lines.at(-1)}`);
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

export function textOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

/** Resolves when the condition holds; fails after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function record(line: string, lines: string[]): void {
  lines.push(line);
  const file = process.env.MOONBRIDGE_TEST_LOG;
  if (file) appendFileSync(file, line);
}
