import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, LookupFunction, Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Pool } from "undici";
import { expect, onTestFinished, test, vi } from "vitest";
import { AnswerStream } from "../../src/upstreams/answer-stream.js";
import { straightConnector } from "../../src/upstreams/straight-connector.js";
import { openAnswer } from "../../src/upstreams/transport.js";

const cert = readFileSync(new URL("../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../fixtures/secure.test.key", import.meta.url));

/** Two addresses, as Kimi's hosts have several; nobody listens at the first. */
const lookup: LookupFunction = (_name, _options, found) => {
  const addresses = ["127.0.0.2", "127.0.0.1"].map((address) => ({ address, family: 4 }));
  found(null, addresses);
};

/** A server and a pool of straight connections to it. */
async function serve(secure: boolean, answer: RequestListener) {
  const server = secure ? createSecureServer({ key, cert }, answer) : createServer(answer);
  const sockets: Socket[] = [];
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connect = straightConnector({ ...(secure ? { ca: cert } : {}), lookup, timeout: 5_000 });
  const pool = new Pool(`http${secure ? "s" : ""}://secure.test:${port}`, { connect });
  onTestFinished(async () => {
    await pool.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { to: { service: "Kimi", pool, prefix: "" }, sockets };
}

type To = Awaited<ReturnType<typeof serve>>["to"];

async function open(to: To): Promise<AnswerStream> {
  const signal = new AbortController().signal;
  const stream = await openAnswer(to, { method: "GET", path: "/", signal }, "text/event-stream");
  if (!(stream instanceof AnswerStream)) throw new Error("no stream");
  return stream;
}

/** Reads to the end, and waits each time until `next` resolves. */
async function read(to: To, next: () => Promise<void> | undefined): Promise<Buffer> {
  const heard: Buffer[] = [];
  const stream = await open(to);
  try {
    const hear = (chunks: readonly Buffer[]) => {
      heard.push(...chunks);
      return next();
    };
    await stream.read({ isOver: false, hear });
  } finally {
    stream.close(true);
  }
  return Buffer.concat(heard);
}

const type = { "content-type": "text/event-stream" };
const body = Buffer.from(Array.from({ length: 300_000 }, (_, number) => `${number}\n`).join(""));

const framings: [string, (response: Parameters<RequestListener>[1]) => void][] = [
  ["in chunks", (response) => response.writeHead(200, type)],
  ["of a known length", (response) => response.writeHead(200, { ...type, "content-length": body.length })],
  [
    "that ends with its connection",
    (response) => {
      response.removeHeader("transfer-encoding");
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { ...type, connection: "close" });
    },
  ],
];

for (const secure of [false, true]) {
  test.each(framings)(`a long answer %s arrives whole, over TLS: ${secure}`, async (_, head) => {
    const { to } = await serve(secure, (_request, response) => {
      head(response);
      response.end(body);
    });
    expect(body.equals(await read(to, () => undefined))).toBe(true);
    let waits = 0;
    const slowly = async () => {
      waits++;
      await (waits % 10 === 0 ? setTimeout(2) : setImmediate());
    };
    expect(body.equals(await read(to, slowly))).toBe(true);
    expect(waits).toBeGreaterThan(5);
  });

  test(`who takes nothing makes the other side wait, over TLS: ${secure}`, async () => {
    const { to, sockets } = await serve(secure, (_request, response) => {
      response.writeHead(200, type);
      const more = () => {
        while (response.write(body));
      };
      response.on("drain", more);
      more();
    });
    const stream = await open(to);
    const never = new Promise<void>(() => {});
    stream.read({ isOver: false, hear: () => never });
    const written = () => sockets[0]?.bytesWritten ?? 0;
    let before = -1;
    await vi.waitFor(
      () => {
        const now = written();
        const stands = now > 0 && now === before;
        before = now;
        if (!stands) throw new Error("it still sends");
      },
      { timeout: 10_000, interval: 200 },
    );
    // The system keeps some megabytes for the two sockets.
    expect(written()).toBeLessThan(40_000_000);
    stream.close(false);
  });

  test(`what came before a cut is heard, and the cut is an error, over TLS: ${secure}`, async () => {
    const { to } = await serve(secure, (_request, response) => {
      response.writeHead(200, type);
      response.write(body.subarray(0, 200_000), () => response.socket?.end());
    });
    const heard: Buffer[] = [];
    const stream = await open(to);
    const hear = async (chunks: readonly Buffer[]) => {
      heard.push(...chunks);
      await setTimeout(5);
    };
    await expect(stream.read({ isOver: false, hear })).rejects.toMatchObject({ code: "upstream_cut" });
    stream.close(false);
    expect(Buffer.concat(heard).equals(body.subarray(0, 200_000))).toBe(true);
  });
}

test("connections are used again", async () => {
  const { to, sockets } = await serve(false, (_request, response) => {
    response.writeHead(200, type).end(body.subarray(0, 100_000));
  });
  for (let answer = 0; answer < 20; answer++) {
    expect(await read(to, () => undefined)).toHaveLength(100_000);
    await setImmediate();
  }
  expect(sockets.length).toBeLessThanOrEqual(2);
});
