import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";

type Options = {
  /** Further settings of redis.conf, such as `{ requirepass: "…" }`. */
  settings?: Record<string, string>;
};

/** A real Redis on a free port of 127.0.0.1, which keeps its data in a temporary folder. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: Record<string, string>;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, settings: Record<string, string>) {
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** Every write is on the disk before its reply, so that nothing is lost by `kill`. */
  static async start({ settings = {} }: Options = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "moonbridge-redis-"));
    const always = { appendonly: "yes", appendfsync: "always", save: "" };
    const server = new RedisServer(await freePort(), folder, { ...always, ...settings });
    await server.#launch();
    return server;
  }

  get url(): string {
    const password = this.#settings.requirepass;
    return `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${this.port}`;
  }

  /** The reply to a command, on a connection of its own. */
  async command(...command: string[]): Promise<unknown> {
    const client = createClient({ url: this.url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.sendCommand<unknown>(command);
    } finally {
      client.destroy();
    }
  }

  /** Ends it, and deletes its data. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Ends it at once, as a crash does; the data stay for `restart`. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Ends it, if it runs, and starts it again on the same port with the same data. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Stops it from answering, without ending its connections. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** All that it has on the disk. */
  async readFiles(): Promise<string> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const texts = await Promise.all(
      files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")),
    );
    return texts.join("");
  }

  async #launch(): Promise<void> {
    const fixed = { port: `${this.port}`, bind: "127.0.0.1", dir: this.#folder };
    const settings = Object.entries({ ...fixed, ...this.#settings });
    const child = spawn(
      "redis-server",
      settings.flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: "ignore" },
    );
    this.#process = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}.`);
      const isReady = await this.command("PING").then(
        (reply) => reply === "PONG",
        () => false,
      );
      if (isReady) return;
      await sleep(20);
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return address.port;
}
