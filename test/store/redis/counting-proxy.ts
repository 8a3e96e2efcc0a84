import { once } from "node:events";
import { type AddressInfo, createServer, connect as openSocket } from "node:net";
import { onTestFinished } from "vitest";

/** Counts the round trips through it to a server on this machine. */
export type CountingProxy = {
  port: number;
  /** How often something that `isCounted` was sent while nothing of that kind waited for a reply. */
  readonly roundTrips: number;
};

/** Starts a TCP proxy to a port of 127.0.0.1; it ends with the test. */
export async function startCountingProxy(
  target: number,
  isCounted: (sent: string) => boolean,
): Promise<CountingProxy> {
  const counter = { roundTrips: 0 };
  const server = createServer((client) => {
    const upstream = openSocket(target, "127.0.0.1");
    let isWaiting = false;
    client.on("data", (data) => {
      if (isCounted(data.toString("latin1"))) {
        if (!isWaiting) counter.roundTrips += 1;
        isWaiting = true;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      isWaiting = false;
      client.write(data);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      socket.on("error", () => {}).on("close", () => other.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get roundTrips() {
      return counter.roundTrips;
    },
  };
}
