import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import type { Capability, Simulator } from "../../../simulator/index.js";
import type { TokenPair } from "../../../src/core/token.js";
import {
  createTemporaryFolder,
  type MoonbridgeProcess,
  runMoonbridge,
  writeConfig,
} from "../../cli/process.js";
import { apiKey, type Gateway, type KimiKind, startGateway } from "../../gateway.js";
import type { Outcome, PlannedTurn } from "./conversation.js";
import type { KimiCalls } from "./kimi-calls.js";

const apiKeys = [apiKey, "sk-CANARY-second"];
const concurrency = 64;
const routes = { kimi: ["me"], other: ["second"] };

/** What the test does to the gateways with one store, and to the Kimi behind them. */
export type GatewaySet = Pick<
  Gateways,
  "count" | "send" | "startChild" | "killChild" | "close" | "deleteOnKimi" | "expire" | "trimStore"
>;

export type GatewaySettings = {
  logLevel: string;
  without?: readonly Capability[];
  /** The URL of the Redis that three gateways share; default two gateways with a database. */
  redis?: string | undefined;
};

/** Gateways with one store: one in this process, a second one in a process that can be killed, and with Redis a third one. */
export class Gateways {
  readonly #kind: KimiKind;
  readonly #calls: KimiCalls;
  readonly #gateway: Gateway;
  readonly #childConfig: unknown;
  readonly #tokens: TokenPair;
  readonly count: number;
  /** Of each gateway, the first one's first; undefined while the second one is not running. */
  readonly #pools: (Pool | undefined)[];
  #child: MoonbridgeProcess | undefined;

  private constructor(
    kind: KimiKind,
    calls: KimiCalls,
    gateway: Gateway,
    { childConfig, tokens, count }: { childConfig: unknown; tokens: TokenPair; count: number },
  ) {
    this.#kind = kind;
    this.#calls = calls;
    this.#gateway = gateway;
    this.#childConfig = childConfig;
    this.#tokens = tokens;
    this.count = count;
    this.#pools = [openPool(gateway.url)];
  }

  static async start(
    kind: KimiKind,
    calls: KimiCalls,
    { logLevel, without = [], redis }: GatewaySettings,
  ): Promise<Gateways> {
    const issued: TokenPair[] = [];
    const issue = (simulator: Simulator, user?: string) => {
      const tokens = simulator.issue(user === undefined ? {} : { user });
      issued.push(tokens);
      return tokens;
    };
    const account = (name: string, url: string, tokens: TokenPair) =>
      kind === "kimi-legacy"
        ? { name, kind, baseUrl: url, concurrency, ...tokens }
        : { name, kind, baseUrl: url, authUrl: url, concurrency, ...tokens };
    const gateway = await startGateway({
      kind,
      concurrency,
      logLevel,
      routes,
      simulator: {
        script: calls.script,
        without,
        legacyConcurrency: (redis === undefined ? 2 : 3) * concurrency,
        accessTokenSeconds: 86_400,
      },
      tokens: (simulator) => issue(simulator),
      keys: [{ name: "second", key: "sk-CANARY-second" }],
      upstreams: (simulator) => [account("second", simulator.url, issue(simulator, "somebody-else"))],
      ...(redis === undefined ? {} : { redis }),
    });
    const [mine, second] = issued;
    if (!mine || !second) throw new Error("no tokens were issued");
    const childConfig = {
      server: { port: 0 },
      keys: apiKeys.map((key, index) => ({ name: index === 0 ? "test" : "second", key })),
      upstreams: [
        account("me", gateway.simulator.url, mine),
        account("second", gateway.simulator.url, second),
      ],
      routes,
      files: { promptLinks: "off" },
      store: redis ?? `sqlite:${gateway.storePath}`,
    };
    const count = redis === undefined ? 2 : 3;
    const gateways = new Gateways(kind, calls, gateway, { childConfig, tokens: mine, count });
    await gateways.startChild();
    if (count === 3) gateways.#pools[2] = openPool(await gateways.#runChild().ready);
    return gateways;
  }

  async startChild(): Promise<void> {
    this.#child = this.#runChild();
    this.#pools[1] = openPool(await this.#child.ready);
  }

  /** Another process on the same store, which ends with the test. */
  #runChild(): MoonbridgeProcess {
    const folder = createTemporaryFolder();
    writeConfig(folder, this.#childConfig);
    const [encryptionKey] = this.#gateway.config.encryptionKeys;
    return runMoonbridge(["--port", "0"], folder, {
      MOONBRIDGE_LOG_LEVEL: "warn",
      ...(encryptionKey ? { MOONBRIDGE_ENCRYPTION_KEY: encryptionKey.toString("hex") } : {}),
    });
  }

  /** SIGKILL; resolves when the process has ended. */
  async killChild(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exit;
    await this.#pools[1]?.destroy();
  }

  async close(): Promise<void> {
    await this.killChild();
    await Promise.all(this.#pools.map((pool) => pool?.destroy()));
    await this.#gateway.stop();
  }

  /** Sends a turn to the gateway of this index. */
  async send(turn: PlannedTurn, index: number): Promise<Outcome> {
    const { conversation, messages, model, id, stream, headers, action } = turn;
    const pool = this.#pools[index];
    if (!pool) throw new Error(`the gateway ${index} is not running`);
    const abort = new AbortController();
    let text = "";
    try {
      const response = await pool.request({
        method: "POST",
        path: "/v1/chat/completions",
        headers: {
          authorization: `Bearer ${apiKeys[conversation.key]}`,
          "content-type": "application/json",
          ...headers,
        },
        body: JSON.stringify({
          model,
          messages,
          stream,
          ...(id === undefined ? {} : { conversation_id: id }),
        }),
        signal: abort.signal,
      });
      if (response.statusCode !== 200) return toFailure(response.statusCode, await response.body.text());
      if (!stream) return this.#toAnswer(JSON.parse(await response.body.text()));
      let received = "";
      for await (const bytes of response.body) {
        received += bytes;
        text = parseStream(received).text;
        if (action === "abort" && text !== "") abort.abort();
      }
      const { error, id: answered } = parseStream(received);
      if (error) return { type: "failed", status: 200, code: error };
      return this.#finish(text, answered);
    } catch (error) {
      if (abort.signal.aborted) return { type: "aborted", text };
      if (index === 1) return { type: "disconnected" };
      throw error;
    }
  }

  /** Deletes a chat on Kimi's side, as a person does on its site; Moonbridge learns nothing of it. */
  async deleteOnKimi(chatId: string): Promise<void> {
    const isLegacy = this.#kind === "kimi-legacy";
    const path = isLegacy ? `/api/chat/${chatId}` : "/apiv2/kimi.chat.v1.ChatService/DeleteChat";
    await fetch(`${this.#gateway.simulator.url}${path}`, {
      method: isLegacy ? "DELETE" : "POST",
      headers: { authorization: `Bearer ${this.#tokens.accessToken}`, "content-type": "application/json" },
      body: isLegacy ? null : JSON.stringify({ chat_id: chatId }),
    });
    this.#calls.chat(chatId).isLost = true;
  }

  /** Makes a chat due, so that Moonbridge deletes it. */
  async expire(chatId: string): Promise<void> {
    this.#calls.chat(chatId).isLost = true;
    await this.#gateway.store.postponeChat("me", chatId, 0);
    this.#gateway.deleteExpiredChats();
    for (
      let attempt = 0;
      attempt < 500 && (await this.#gateway.store.countDueChats(Date.now())) > 0;
      attempt++
    )
      await sleep(2);
  }

  /** Leaves only this many places in the store, the newest. */
  async trimStore(limit: number): Promise<void> {
    await this.#gateway.store.trimNodes(
      { nodes: limit, forgottenAnswers: 1_000_000, tombstonesBefore: 0 },
      Date.now(),
    );
    for (const chat of this.#calls.chats.values()) chat.isLost = true;
  }

  #toAnswer(body: { choices: { message: { content: string } }[]; conversation_id?: string }): Outcome {
    return this.#finish(body.choices[0]?.message.content ?? "", body.conversation_id);
  }

  #finish(text: string, id: string | undefined): Outcome {
    return { type: "answered", text: text.trim(), id, call: this.#calls.claim(text) };
  }
}

function openPool(url: string): Pool {
  return new Pool(url, { connections: concurrency });
}

function toFailure(status: number, body: string): Outcome {
  return { type: "failed", status, code: /"code":\s*"(\w+)"/.exec(body)?.[1] ?? body.slice(0, 80) };
}

/** The text, the conversation id and the error code of a stream, as far as it has arrived. */
function parseStream(received: string): { text: string; id: string | undefined; error: string | undefined } {
  let text = "";
  let id: string | undefined;
  let error: string | undefined;
  const events = received.split("\n\n").slice(0, -1);
  for (const event of events) {
    if (!event.startsWith("data: {")) continue;
    const chunk = JSON.parse(event.slice("data: ".length));
    text += chunk.choices?.[0]?.delta?.content ?? "";
    id ??= chunk.conversation_id;
    error ??= chunk.error?.code;
  }
  return { text, id, error };
}
