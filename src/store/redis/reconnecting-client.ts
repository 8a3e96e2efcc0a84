import { ClientClosedError, ClientOfflineError, createClient, DisconnectsClientError } from "@redis/client";
import { withoutCredentials } from "../../config/store-location.js";
import { redisMessages } from "../../i18n/redis-messages.js";
import { StoreError } from "../errors.js";
import { NoReplyError, toRedisError } from "./errors.js";

/** In milliseconds. `reconnect`: the longest pause before another attempt; `idle`: after that the server is asked for a reply. */
const timeouts = { connect: 3_000, reply: 3_000, reconnect: 2_000, idle: 2_000, close: 1_000 };
/** Commands that wait for a reply; further ones fail at once. */
const maxPendingCommands = 10_000;

type Client = ReturnType<typeof createRedisClient>;

/**
 * One connection to Redis, made again whenever it breaks. Commands fail at once while there is none; where a reply is late,
 * they fail and the connection is replaced. Every failure is a StoreError.
 */
export class ReconnectingClient {
  /** The URL without user and password. */
  readonly address: string;
  /** How often commands were sent. */
  roundTrips = 0;
  readonly #url: string;
  /** Undefined once it is closed. */
  #client: Client | undefined;
  #hasConnected = false;
  /** When the connection was made last, as `performance.now()`. */
  #connectedAt = 0;
  /** Why the connection broke last. */
  #lastFailure: unknown;

  private constructor(url: string) {
    this.address = withoutCredentials(url);
    this.#url = url;
  }

  /** Throws StoreError if the first attempt to connect fails. */
  static async open(url: string): Promise<ReconnectingClient> {
    const opened = new ReconnectingClient(url);
    const client = opened.#create();
    try {
      await withDeadline(client.connect(), timeouts.connect);
      // A server that needs a password says so to the first command only.
      await withDeadline(client.sendCommand(["PING"]), timeouts.reply);
      opened.#hasConnected = true;
      return opened;
    } catch (error) {
      await opened.close();
      throw toRedisError(opened.address, error);
    }
  }

  /** The replies to commands that are sent together, in `timeout` milliseconds. Throws StoreError if one of them fails. */
  async send(commands: readonly (readonly string[])[], timeout = timeouts.reply): Promise<unknown[]> {
    const client = this.#getClient();
    this.roundTrips++;
    try {
      const replies = commands.map((command) => client.sendCommand<unknown>(command));
      return await withDeadline(Promise.all(replies), timeout);
    } catch (error) {
      throw this.#fail(client, error);
    }
  }

  /** Calls `listener` with each message, also after the connection was made again; no messages of between are delivered. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    const client = this.#getClient();
    try {
      await withDeadline(client.subscribe(channel, listener), timeouts.reply);
    } catch (error) {
      throw this.#fail(client, error);
    }
  }

  /** Waits a moment for the replies that are due. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client?.isReady) await withDeadline(client.close(), timeouts.close).catch(() => {});
    client?.destroy();
  }

  #getClient(): Client {
    if (!this.#client) throw new StoreError(redisMessages.closed(this.address));
    return this.#client;
  }

  #fail(client: Client, error: unknown): StoreError {
    const failure = toRedisError(this.address, isConsequence(error) ? (this.#lastFailure ?? error) : error);
    // A server that became a replica refuses writes; its address may lead to the new primary by now.
    const mayHaveMoved =
      failure.code === "READONLY" && performance.now() - this.#connectedAt > timeouts.reconnect;
    if (error instanceof NoReplyError || mayHaveMoved) this.#replace(client, error);
    return this.#client ? failure : new StoreError(redisMessages.closed(this.address));
  }

  #replace(client: Client, failure: unknown): void {
    if (this.#client !== client) return;
    this.#lastFailure = failure;
    client.destroy();
    // It goes on until it succeeds or is closed.
    this.#create()
      .connect()
      .catch(() => {});
  }

  #create(): Client {
    const client = createRedisClient(this.#url, (retries) =>
      this.#hasConnected
        ? Math.min(timeouts.reconnect, 50 * 2 ** retries) * (0.5 + Math.random() / 2)
        : false,
    );
    client.on("ready", () => {
      this.#connectedAt = performance.now();
    });
    client.on("error", (error) => {
      if (this.#client === client) this.#lastFailure = error;
    });
    this.#client = client;
    return client;
  }
}

function createRedisClient(url: string, reconnectStrategy: (retries: number) => number | false) {
  return createClient({
    url,
    // The older protocol, so that a server that is too old can say its version.
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxPendingCommands,
    disableClientInfo: true,
    maintNotifications: "disabled",
    pingInterval: timeouts.idle,
    socket: {
      connectTimeout: timeouts.connect,
      // Longer than the interval of pings, so that it only ends connections without replies.
      socketTimeout: timeouts.idle + timeouts.reply,
      reconnectStrategy,
    },
  });
}

/** Whether the failure only says that the connection broke before, not why. */
function isConsequence(error: unknown): boolean {
  return [ClientClosedError, ClientOfflineError, DisconnectsClientError].some(
    (type) => error instanceof type,
  );
}

/** Rejects with NoReplyError after the deadline, unless the result came while the event loop was late. */
function withDeadline<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new NoReplyError())), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
