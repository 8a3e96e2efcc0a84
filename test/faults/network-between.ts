import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Handles a request in place of the service; false to let it pass. */
export type Intervention = (incoming: IncomingMessage, response: ServerResponse) => boolean;

/** Starts a reverse proxy in front of a service; returns the base URL that leads through it. Stops when the test ends. */
export async function startNetwork(service: string, intervene: Intervention): Promise<string> {
  const { origin, pathname } = new URL(service);
  const proxy = createServer((incoming, response) => {
    if (intervene(incoming, response)) return;
    const { method, url, headers } = incoming;
    const outgoing = request(origin + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  return `http://127.0.0.1:${port}${pathname.replace(/\/$/, "")}`;
}
