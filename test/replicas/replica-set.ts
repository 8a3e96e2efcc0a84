import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, type MoonbridgeProcess, runMoonbridge, writeConfig } from "../cli/process.js";
import { RedisServer } from "../store/redis/redis-server.js";

const key = "sk-CANARY-of-more-than-32-characters";

export type ReplicaSetOptions = {
  replicas?: number;
  concurrency?: number;
  simulator?: SimulatorOptions;
  redis?: Record<string, string>;
  /** Further settings of the config. */
  config?: Record<string, unknown>;
  /** Variables of single replicas, by their index. */
  environment?: (index: number) => Record<string, string>;
  /** The store's URL of single replicas; default: that of Redis. */
  storeUrl?: (index: number, redis: RedisServer) => string;
};

export type Answer = { status: number; code: string | undefined; text: string; id: string | undefined };

type Message = { role: "user" | "assistant"; content: string };
type ChatFields = { stream?: boolean; signal?: AbortSignal; [parameter: string]: unknown };

/** Processes of `moonbridge serve` with one account on one real Redis, and the Kimi that they ask. */
export class ReplicaSet {
  readonly simulator: Simulator;
  readonly redis: RedisServer;
  /** The most answers that Kimi was giving at a time. */
  maxOpenStreams = 0;
  readonly #processes: (MoonbridgeProcess | undefined)[] = [];
  readonly #urls: string[] = [];
  readonly #start: (index: number) => MoonbridgeProcess;

  private constructor(simulator: Simulator, redis: RedisServer, start: (index: number) => MoonbridgeProcess) {
    this.simulator = simulator;
    this.redis = redis;
    this.#start = start;
    const watch = setInterval(() => {
      this.maxOpenStreams = Math.max(this.maxOpenStreams, simulator.counts().openStreams);
    }, 1);
    onTestFinished(() => clearInterval(watch));
  }

  static async start(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
    const { replicas = 3, concurrency = 4, environment = () => ({}), config = {} } = options;
    const simulator = await startSimulator(options.simulator);
    const redis = await RedisServer.start({ settings: options.redis ?? {} });
    onTestFinished(async () => {
      await simulator.close();
      await redis.stop();
    });
    const folder = createTemporaryFolder();
    const account = {
      name: "me",
      kind: "kimi-web",
      baseUrl: simulator.url,
      authUrl: simulator.url,
      concurrency,
    };
    writeConfig(folder, {
      token: key,
      server: { port: 0 },
      files: { folder: `${folder}/files` },
      upstreams: [{ ...account, ...simulator.issue() }],
      ...config,
    });
    const encryptionKey = randomBytes(32).toString("base64");
    const start = (index: number) =>
      runMoonbridge(["--port", "0"], folder, {
        MOONBRIDGE_ENCRYPTION_KEY: encryptionKey,
        MOONBRIDGE_STORE: options.storeUrl?.(index, redis) ?? redis.url,
        MOONBRIDGE_LOG_LEVEL: "info",
        ...environment(index),
      });
    const set = new ReplicaSet(simulator, redis, start);
    await Promise.all(Array.from({ length: replicas }, (_, index) => set.launch(index)));
    return set;
  }

  get size(): number {
    return this.#urls.length;
  }

  url(index: number): string {
    const url = this.#urls[index];
    if (url === undefined) throw new Error(`replica ${index} was not started`);
    return url;
  }

  process(index: number): MoonbridgeProcess {
    const process = this.#processes[index];
    if (!process) throw new Error(`replica ${index} was not started`);
    return process;
  }

  /** Starts the replica, or starts it anew. */
  async launch(index: number): Promise<void> {
    const process = this.#start(index);
    this.#processes[index] = process;
    this.#urls[index] = await process.ready;
  }

  /** Ends the replica as `kill -9` does. */
  async kill(index: number): Promise<void> {
    this.process(index).kill("SIGKILL");
    await this.process(index).exit;
  }

  /** Sends a chat to a replica. Rejects where the connection ends without a whole answer. */
  async chat(index: number, messages: readonly Message[], fields: ChatFields = {}): Promise<Answer> {
    const { signal, ...parameters } = fields;
    const response = await fetch(`${this.url(index)}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "kimi", messages, ...parameters }),
      signal: signal ?? AbortSignal.timeout(60_000),
    });
    const body = await response.text();
    return parameters.stream === true && response.status === 200
      ? parseStream(body)
      : parseWhole(response.status, body);
  }

  /** Sends one message as a conversation of its own. */
  ask(index: number, content: string, fields: ChatFields = {}): Promise<Answer> {
    return this.chat(index, [{ role: "user", content }], fields);
  }

  /** An answer of the API of a replica, with the key of an administrator. */
  async get(index: number, path: string): Promise<{ status: number; body: string }> {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(this.url(index) + path, { headers, signal: AbortSignal.timeout(10_000) });
    return { status: response.status, body: await response.text() };
  }
}

function parseWhole(status: number, body: string): Answer {
  const { choices, error, conversation_id } = JSON.parse(body);
  return {
    ...{ status, code: error?.code, id: conversation_id },
    text: choices?.[0]?.message?.content ?? "",
  };
}

/** Throws if the stream is neither whole nor ends with an error. */
function parseStream(body: string): Answer {
  const answer: Answer = { status: 200, code: undefined, text: "", id: undefined };
  for (const line of body.split("\n")) {
    if (!line.startsWith("data: {")) continue;
    const chunk = JSON.parse(line.slice("data: ".length));
    answer.text += chunk.choices?.[0]?.delta?.content ?? "";
    answer.id ??= chunk.conversation_id;
    answer.code ??= chunk.error?.code;
  }
  if (answer.code === undefined && !body.includes("data: [DONE]")) throw new Error("the stream was cut");
  return answer;
}
