import { redisMessages } from "../../i18n/redis-messages.js";
import { StoreError } from "../errors.js";
import { RedisError } from "./errors.js";
import { ReconnectingClient } from "./reconnecting-client.js";
import type { RedisScript } from "./script.js";

/**
 * The connections to one Redis: one for commands, and one for subscriptions, which is opened by the first. Everything has a
 * deadline of seconds; failures are StoreErrors of one sentence, without user and password.
 */
export class RedisConnection {
  readonly #url: string;
  readonly #commands: ReconnectingClient;
  #subscriptions: Promise<ReconnectingClient> | undefined;

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
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    const reply = await this.send("EVALSHA", script.sha1, ...rest).catch((error: unknown) => {
      if (error instanceof RedisError && error.code === "NOSCRIPT")
        return this.send("EVAL", script.source, ...rest);
      throw error;
    });
    return this.parse(script.parse, reply);
  }

  /** Throws StoreError instead of what `parse` throws, which may quote stored values. */
  parse<Result>(parse: (reply: unknown) => Result, reply: unknown): Result {
    try {
      return parse(reply);
    } catch (error) {
      throw error instanceof StoreError ? error : new StoreError(redisMessages.unexpectedReply(this.address));
    }
  }

  /** Calls `listener` with each message of the channel until the connection is closed. While it is down, messages are lost. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.#subscriptions ??= ReconnectingClient.open(this.#url);
    try {
      await (await this.#subscriptions).subscribe(channel, listener);
    } catch (error) {
      // The next subscription tries to connect again.
      this.#subscriptions = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const subscriptions = await this.#subscriptions?.catch(() => undefined);
    await Promise.all([this.#commands.close(), subscriptions?.close()]);
  }
}
