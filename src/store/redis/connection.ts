import { redisMessages } from "../../i18n/redis-messages.js";
import { StoreError } from "../errors.js";
import { RedisError } from "./errors.js";
import { ReconnectingClient } from "./reconnecting-client.js";
import type { RedisScript } from "./script.js";

/** How long a write may take to reach the disk, in milliseconds: Redis writes to it once a second by default. */
const syncTimeout = 2_500;

/**
 * The connections to one Redis: one for commands, and two that are opened when they are first needed, for subscriptions and for
 * writes that wait for the disk. Everything has a deadline of seconds; failures are StoreErrors of one sentence, without
 * user and password.
 */
export class RedisConnection {
  readonly #url: string;
  readonly #commands: ReconnectingClient;
  #subscriptions: Promise<ReconnectingClient> | undefined;
  #durableWrites: Promise<ReconnectingClient> | undefined;
  #isClosed = false;

  private constructor(url: string, commands: ReconnectingClient) {
    this.#url = url;
    this.#commands = commands;
  }

  /** `url`: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. Throws StoreError. */
  static async open(url: string): Promise<RedisConnection> {
    return new RedisConnection(url, await ReconnectingClient.open(url));
  }

  /** For messages: the URL without user and password. */
  get address(): string {
    return this.#commands.address;
  }

  /** How often this process has sent commands and waited for their replies. */
  get roundTrips(): number {
    return this.#commands.roundTrips;
  }

  /** The reply to one command: a string, a number, null, or an array of such. */
  async send(...command: readonly string[]): Promise<unknown> {
    const [reply] = await this.#commands.send([command]);
    return reply;
  }

  /** The replies to commands that are sent together, in one round trip but not in one step. */
  sendAll(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    return this.#commands.send(commands);
  }

  /** Runs a script; Redis gets its source only where it does not know it, such as after SCRIPT FLUSH. */
  async run<Result>(
    script: RedisScript<Result>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Result> {
    const evaluate = (...command: string[]) => this.send(...command);
    return this.parse(script.parse, await evaluateScript(script, keys, args, evaluate));
  }

  /**
   * Runs a script and waits until what it wrote is on the disk of Redis. Where Redis cannot tell (before 7.2, or without an
   * append-only file), its reply counts. Throws StoreError if the disk takes too long; the write may be there nevertheless.
   */
  async runDurably<Result>(
    script: RedisScript<Result>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Result> {
    // WAITAOF holds up what comes after it, and waits for the writes of its own connection only.
    const client = await this.#openDurableWrites();
    const evaluate = async (...command: string[]) => {
      const [[reply], isSynced] = await Promise.all([client.send([command]), waitForDisk(client)]);
      if (!isSynced) throw new StoreError(redisMessages.notSynced(this.address));
      return reply;
    };
    return this.parse(script.parse, await evaluateScript(script, keys, args, evaluate));
  }

  /** Throws StoreError instead of what `parse` throws, which may quote stored values. */
  parse<Reply, Result>(parse: (reply: Reply) => Result, reply: Reply): Result {
    try {
      return parse(reply);
    } catch (error) {
      throw error instanceof StoreError ? error : new StoreError(redisMessages.unexpectedReply(this.address));
    }
  }

  /** Calls `listener` with each message of the channel until the connection is closed. While it is down, messages are lost. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.#subscriptions ??= this.#openAnother();
    try {
      await (await this.#subscriptions).subscribe(channel, listener);
    } catch (error) {
      // The next subscription tries to connect again.
      this.#subscriptions = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const others = await Promise.allSettled([this.#subscriptions, this.#durableWrites]);
    const opened = others.flatMap((other) => (other.status === "fulfilled" ? (other.value ?? []) : []));
    await Promise.all([this.#commands, ...opened].map((client) => client.close()));
  }

  #openDurableWrites(): Promise<ReconnectingClient> {
    this.#durableWrites ??= this.#openAnother().catch((error: unknown) => {
      this.#durableWrites = undefined;
      throw error;
    });
    return this.#durableWrites;
  }

  async #openAnother(): Promise<ReconnectingClient> {
    if (this.#isClosed) throw new StoreError(redisMessages.closed(this.address));
    return ReconnectingClient.open(this.#url);
  }
}

async function evaluateScript<Result>(
  { sha1, source }: RedisScript<Result>,
  keys: readonly string[],
  args: readonly (string | number)[],
  evaluate: (...command: string[]) => Promise<unknown>,
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args.map(String)];
  try {
    return await evaluate("EVALSHA", sha1, ...rest);
  } catch (error) {
    if (!(error instanceof RedisError) || error.code !== "NOSCRIPT") throw error;
    return evaluate("EVAL", source, ...rest);
  }
}

/** Whether what the connection wrote is on the disk, as far as Redis can tell. */
async function waitForDisk(client: ReconnectingClient): Promise<boolean> {
  try {
    const [reply] = await client.send([["WAITAOF", "1", "0", String(syncTimeout)]], 2 * syncTimeout);
    return Array.isArray(reply) && Number(reply[0]) >= 1;
  } catch (error) {
    // It does not know the command, or has no append-only file.
    if (error instanceof RedisError && error.code === "ERR") return true;
    throw error;
  }
}
