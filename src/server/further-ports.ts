import type { Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:net";

/** Further ports of an HTTP server. It handles their connections like its own, with the same limits and timeouts. */
export class FurtherPorts {
  readonly #listeners: Server[] = [];

  /** The ports that it listens on. */
  get ports(): number[] {
    const addresses = this.#listeners.map((listener) => listener.address());
    const ports = addresses.map((address) => (typeof address === "object" && address ? address.port : 0));
    return [...new Set(ports)];
  }

  /** Listens on each port at each address. Throws the error of `listen`; the others are then still open. */
  async listen(server: HttpServer, addresses: readonly string[], ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      for (const host of addresses) {
        // An HTTP server handles any connection that is emitted on it; these are the options of its own.
        const options = { allowHalfOpen: true, noDelay: true };
        const listener = createServer(options, (socket) => server.emit("connection", socket));
        await new Promise<void>((resolve, reject) => {
          listener.once("error", reject);
          listener.listen({ host, port }, resolve);
        });
        this.#listeners.push(listener);
      }
    }
  }

  /** Accepts no further connections; resolves when the last one has closed. */
  async close(): Promise<void> {
    await Promise.all(
      this.#listeners.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve()))),
    );
  }
}
