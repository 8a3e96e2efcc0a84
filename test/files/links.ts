import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from "node:net";
import { buildConnector } from "undici";
import { onTestFinished } from "vitest";
import { LinkFetcher, type LinkFetcherOptions } from "../../src/files/link-fetcher.js";
import { Guard } from "../../src/files/ssrf-guard.js";

/** Public addresses of these tests; behind each is this machine. */
export const publicAddresses = ["93.184.216.34", "2606:2800:220:1::34"];

const behind: Record<string, string> = { "93.184.216.34": "127.0.0.1", "2606:2800:220:1::34": "::1" };

/** A self-signed certificate for `secure.test` alone. */
const certificate = readFileSync(new URL("../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../fixtures/secure.test.key", import.meta.url));

/** What a name resolves to, look-up by look-up; the last answer stays. */
type Answers = readonly (readonly string[])[];

type TestFetcherOptions = {
  allowPrivate?: boolean;
  ownNetworks?: string[];
  names?: Record<string, Answers>;
  bounds?: LinkFetcherOptions["bounds"];
};

/**
 * The fetcher as it is, its guard too, in a world where names resolve as `names` says (any other to a public
 * address) and where this machine answers on `publicAddresses` after the guard has let them through.
 */
export function testFetcher({ names = {}, bounds = {}, ...guard }: TestFetcherOptions = {}) {
  const lookups: string[] = [];
  const fetcher = new LinkFetcher(
    new Guard({
      allowPrivate: guard.allowPrivate ?? false,
      ...(guard.ownNetworks ? { ownNetworks: () => guard.ownNetworks ?? [] } : {}),
    }),
    {
      bounds,
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
              const local = found.map(({ address }) => asLookupAddress(behind[address] ?? address));
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

export type Site = { port: number; connections: number; open: Set<Socket> };

/** An HTTP server on both loopback addresses that also keeps what it was asked. */
export async function startSite(
  answer: RequestListener,
  { secure = false } = {},
): Promise<Site & { requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    answer(request, response);
  };
  const make = () =>
    secure ? createSecureServer({ key, cert: certificate }, listener) : createServer(listener);
  return Object.assign(await listenOnBoth(make), { requests });
}

/** A server of bare bytes: `talk` has the socket after the request's header has come. */
export async function startRawSite(talk: (socket: Socket) => void): Promise<Site> {
  return listenOnBoth(() =>
    createRawServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => talk(socket));
    }),
  );
}

/** Counts who comes; nobody is to come. */
export async function startCanary(): Promise<Site> {
  return listenOnBoth(() => createServer((_request, response) => response.end("CANARY of the inside")));
}

/** Servers on 127.0.0.1 and [::1], on the same port, both gone when the test ends. */
async function listenOnBoth(make: () => Server): Promise<Site> {
  const site: Site = { port: 0, connections: 0, open: new Set() };
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
