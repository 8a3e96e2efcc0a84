import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from "node:net";
import { buildConnector } from "undici";
import { onTestFinished } from "vitest";
import { LinkFetcher, type LinkFetcherOptions } from "../../src/files/link-fetcher.js";
import { SsrfGuard } from "../../src/files/ssrf-guard.js";

/** Public addresses that the test connector maps to this machine. */
export const publicAddresses = ["93.184.216.34", "2606:2800:220:1::34"];

const localAddresses: Record<string, string> = { "93.184.216.34": "127.0.0.1", "2606:2800:220:1::34": "::1" };

/** A self-signed certificate for `secure.test` alone. */
const certificate = readFileSync(new URL("../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../fixtures/secure.test.key", import.meta.url));

/** DNS answers by look-up; the last one is repeated. */
type LookupAnswers = readonly (readonly string[])[];

type TestFetcherOptions = {
  allowPrivate?: boolean;
  ownNetworks?: string[];
  names?: Record<string, LookupAnswers>;
  fetchLimits?: LinkFetcherOptions["fetchLimits"];
};

/**
 * A real fetcher with a real guard. Names resolve as in `names`, any other name to a public address; connections to
 * `publicAddresses` go to this machine after the guard has permitted them.
 */
export function testFetcher({ names = {}, fetchLimits = {}, ...guard }: TestFetcherOptions = {}) {
  const lookups: string[] = [];
  const fetcher = new LinkFetcher(
    new SsrfGuard({
      allowPrivate: guard.allowPrivate ?? false,
      ...(guard.ownNetworks ? { ownNetworks: () => guard.ownNetworks ?? [] } : {}),
    }),
    {
      fetchLimits,
      resolve: async (hostname) => {
        const answers = names[hostname] ?? [publicAddresses];
        const nth = lookups.filter((name) => name === hostname).length;
        lookups.push(hostname);
        return (answers[nth] ?? answers.at(-1) ?? []).map(asLookupAddress);
      },
      connector: (options) =>
        buildConnector({
          ...options,
          ca: certificate,
          lookup: (hostname, how, done) =>
            options.lookup(hostname, how, (error, found) => {
              if (typeof found === "string") throw new Error("one address where all were asked for");
              const local = found.map(({ address }) => asLookupAddress(localAddresses[address] ?? address));
              done(error, local);
            }),
        }),
    },
  );
  return { fetcher, lookups };
}

function asLookupAddress(address: string) {
  return { address, family: address.includes(":") ? 6 : 4 };
}

export type TestServer = { port: number; connections: number; open: Set<Socket> };

/** An HTTP server on both loopback addresses that records its requests. */
export async function startServer(
  handle: RequestListener,
  { secure = false } = {},
): Promise<TestServer & { requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    handle(request, response);
  };
  const make = () =>
    secure ? createSecureServer({ key, cert: certificate }, listener) : createServer(listener);
  return Object.assign(await listenOnBoth(make), { requests });
}

/** A TCP server: `respond` gets the socket once the request has arrived. */
export async function startRawServer(respond: (socket: Socket) => void): Promise<TestServer> {
  return listenOnBoth(() =>
    createRawServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => respond(socket));
    }),
  );
}

/** A server that must not get any connection; it counts them. */
export async function startCanary(): Promise<TestServer> {
  return listenOnBoth(() => createServer((_request, response) => response.end("CANARY of the inside")));
}

/** Servers on 127.0.0.1 and [::1] with the same port, closed when the test ends. */
async function listenOnBoth(make: () => Server): Promise<TestServer> {
  const site: TestServer = { port: 0, connections: 0, open: new Set() };
  for (const host of ["127.0.0.1", "::1"]) {
    const server = make();
    server.on("connection", (socket: Socket) => {
      site.connections++;
      site.open.add(socket);
      socket.on("close", () => site.open.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(site.port, host, resolve);
    });
    site.port = (server.address() as AddressInfo).port;
    onTestFinished(() => {
      for (const socket of site.open) socket.destroy();
      server.close();
    });
  }
  return site;
}

export async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
