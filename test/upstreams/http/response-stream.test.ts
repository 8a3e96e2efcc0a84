import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import {
  type AddressInfo,
  createServer as createPlainServer,
  type LookupFunction,
  type Server as PlainServer,
  type Socket,
} from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import { buildConnector, Pool } from "undici";
import { expect, onTestFinished, test, vi } from "vitest";
import { openStream } from "../../../src/upstreams/http/client.js";
import { ResponseStream } from "../../../src/upstreams/http/response-stream.js";
import { UpstreamConnection } from "../../../src/upstreams/http/upstream-connection.js";

const cert = readFileSync(new URL("../../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../../fixtures/secure.test.key", import.meta.url));

/** Resolves to two addresses, as Kimi's hosts have several. Nothing listens at the first. */
const lookup: LookupFunction = (_name, _options, callback) => {
  const addresses = ["127.0.0.2", "127.0.0.1"].map((address) => ({ address, family: 4 }));
  callback(null, addresses);
};

/** Starts a server and a pool of connections to it. */
async function serve(secure: boolean, handler: RequestListener) {
  const server = secure ? createSecureServer({ key, cert }, handler) : createServer(handler);
  const sockets: Socket[] = [];
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => sockets.push(socket));
  onTestFinished(() => server.closeAllConnections());
  return { host: await connectTo(server, secure), sockets };
}

/** Starts a server and connects a pool to it. */
async function connectTo(server: PlainServer, secure = false) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connect = { ...(secure ? { ca: cert } : {}), lookup, timeout: 5_000 };
  const factory = (origin: URL) => UpstreamConnection.open(origin, { connect: buildConnector(connect) });
  const pool = new Pool(`http${secure ? "s" : ""}://secure.test:${port}`, { factory });
  onTestFinished(async () => {
    await pool.destroy();
    server.close();
  });
  return { service: "Kimi", hostname: "secure.test", pool, prefix: "" };
}

type TestHost = Awaited<ReturnType<typeof connectTo>>;

async function openTestStream(host: TestHost, idleTimeout = 10_000): Promise<ResponseStream> {
  const signal = new AbortController().signal;
  const stream = await openStream(
    host,
    { method: "GET", path: "/", signal, idleTimeout },
    "text/event-stream",
  );
  if (!(stream instanceof ResponseStream)) throw new Error("no stream");
  return stream;
}

/** Reads to the end. After each batch of chunks, waits until `afterChunks` resolves. */
async function readAll(
  host: TestHost,
  afterChunks: () => Promise<void> | undefined,
  idleTimeout?: number,
): Promise<Buffer> {
  const received: Buffer[] = [];
  const stream = await openTestStream(host, idleTimeout);
  try {
    const onChunks = (chunks: readonly Buffer[]) => {
      received.push(...chunks);
      return afterChunks();
    };
    await stream.pipeTo({ isDone: false, onChunks });
  } finally {
    stream.close(true);
  }
  return Buffer.concat(received);
}

/** A promise that resolves when `fire` is called. */
function signalOnce() {
  let fire = () => {};
  const promise = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { promise, fire };
}

const eventStreamHeaders = { "content-type": "text/event-stream" };
const body = Buffer.from(Array.from({ length: 300_000 }, (_, number) => `${number}\n`).join(""));

const framings: [string, (response: Parameters<RequestListener>[1]) => void][] = [
  ["a chunked body", (response) => response.writeHead(200, eventStreamHeaders)],
  [
    "a content-length",
    (response) => response.writeHead(200, { ...eventStreamHeaders, "content-length": body.length }),
  ],
  [
    "a content-length and no keep-alive",
    (response) =>
      response.writeHead(200, {
        ...eventStreamHeaders,
        "content-length": body.length,
        connection: "close",
      }),
  ],
  [
    "an end by closing the connection",
    (response) => {
      response.removeHeader("transfer-encoding");
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { ...eventStreamHeaders, connection: "close" });
    },
  ],
];

for (const secure of [false, true]) {
  test.each(framings)(`receives a long answer with %s completely (TLS: ${secure})`, async (_, head) => {
    const { host } = await serve(secure, (_request, response) => {
      head(response);
      response.end(body);
    });
    expect(body.equals(await readAll(host, () => undefined))).toBe(true);
    let waitCount = 0;
    const waitSometimes = async () => {
      waitCount++;
      await (waitCount % 10 === 0 ? setTimeout(2) : setImmediate());
    };
    expect(body.equals(await readAll(host, waitSometimes))).toBe(true);
    expect(waitCount).toBeGreaterThan(1);
    let isFirst = true;
    const waitForEnd = () => {
      const wait = isFirst ? setTimeout(300) : undefined;
      isFirst = false;
      return wait;
    };
    expect(body.equals(await readAll(host, waitForEnd))).toBe(true);
  });

  test(`holds the server back while the sink takes nothing (TLS: ${secure})`, async () => {
    const { host, sockets } = await serve(secure, (_request, response) => {
      response.writeHead(200, eventStreamHeaders);
      const more = () => {
        while (response.write(body));
      };
      response.on("drain", more);
      more();
    });
    const stream = await openTestStream(host);
    const never = new Promise<void>(() => {});
    stream.pipeTo({ isDone: false, onChunks: () => never });
    const written = () => sockets[0]?.bytesWritten ?? 0;
    let before = -1;
    await vi.waitFor(
      () => {
        const now = written();
        const isStalled = now > 0 && now === before;
        before = now;
        if (!isStalled) throw new Error("it still sends");
      },
      { timeout: 10_000, interval: 200 },
    );
    // The system buffers some megabytes for the two sockets.
    expect(written()).toBeLessThan(40_000_000);
    stream.close(false);
  });

  test(`fails if a sink takes too little of a body that cannot be paused (TLS: ${secure})`, async () => {
    const closed = signalOnce();
    const { host } = await serve(secure, (_request, response) => {
      response.writeHead(200, { ...eventStreamHeaders, connection: "close" });
      const more = () => {
        while (response.write(body));
      };
      response.on("drain", more).on("close", closed.fire);
      more();
    });
    await expect(readAll(host, () => closed.promise)).rejects.toMatchObject({
      code: "upstream_cut",
      upstreamCode: "unread_body",
    });
  });

  test(`delivers what came before a cut, then reports the cut as an error (TLS: ${secure})`, async () => {
    const { host } = await serve(secure, (_request, response) => {
      response.writeHead(200, eventStreamHeaders);
      response.write(body.subarray(0, 200_000), () => response.socket?.end());
    });
    const received: Buffer[] = [];
    const stream = await openTestStream(host);
    const onChunks = async (chunks: readonly Buffer[]) => {
      received.push(...chunks);
      await setTimeout(5);
    };
    await expect(stream.pipeTo({ isDone: false, onChunks })).rejects.toMatchObject({
      code: "upstream_cut",
    });
    stream.close(false);
    expect(Buffer.concat(received).equals(body.subarray(0, 200_000))).toBe(true);
  });
}

test("reuses connections", async () => {
  const { host, sockets } = await serve(false, (_request, response) => {
    response.writeHead(200, eventStreamHeaders).end(body.subarray(0, 100_000));
  });
  for (let answer = 0; answer < 20; answer++) {
    expect(await readAll(host, () => undefined)).toHaveLength(100_000);
    await setImmediate();
  }
  expect(sockets.length).toBeLessThanOrEqual(2);
});

const chunkedHead =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/** Data of letters that could be a chunk size. */
const [facade, chunks] = ["abcdefacade", "5\r\nabcde\r\n6\r\nfacade\r\n"];

/**
 * A server that answers with these bytes in three parts, cut at another place for each request, with a pause after each
 * part.
 */
async function serveBytes(bytes: string, closesConnection: boolean) {
  const cuts = Array.from({ length: bytes.length }, (_, at) => at);
  let connections = 0;
  const server = createPlainServer({ noDelay: true }, (socket) => {
    connections++;
    socket.on("error", () => {});
    socket.on("data", async () => {
      const cut = cuts.pop() ?? 0;
      for (const [from, to] of [[0, cut], [cut, cut + 43], [cut + 43]]) {
        socket.write(bytes.slice(from, to), "latin1");
        await setTimeout(1);
      }
      if (closesConnection) socket.end();
    });
  });
  return { host: await connectTo(server), connections: () => connections };
}

const completeAnswers: [string, string, string][] = [
  ["a chunked body", `${chunkedHead}${chunks}0\r\n\r\n`, facade],
  ["trailers", `${chunkedHead}${chunks}0\r\nx-a: b\r\n\r\n`, facade],
  ["a chunk extension", `${chunkedHead}${chunks}2;a=b\r\n!!\r\n0\r\n\r\n`, `${facade}!!`],
  [
    "an informational response before it",
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${chunkedHead}${chunks}0\r\n\r\n`,
    facade,
  ],
  [
    "data that looks like a head",
    `${chunkedHead}13\r\nHTTP/1.1 200 OK\r\n\r\n\r\n0\r\n\r\n`,
    "HTTP/1.1 200 OK\r\n\r\n",
  ],
  [
    "a content-length",
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${chunks.length}\r\n\r\n${chunks}`,
    chunks,
  ],
];

test.each(completeAnswers)(
  "receives an answer with %s however it is split, and reuses the connection",
  async (_, bytes, text) => {
    const { host, connections } = await serveBytes(bytes, false);
    for (let at = 0; at < bytes.length; at++) {
      expect((await readAll(host, () => undefined)).toString("latin1")).toBe(text);
      await setImmediate();
    }
    expect(connections()).toBeLessThanOrEqual(2);
  },
);

const malformedAnswers: [string, string][] = [
  ["ends between two chunks", `${chunkedHead}${chunks}`],
  ["ends in a chunk", `${chunkedHead}${chunks}5\r\nabc`],
  ["ends in a size", `${chunkedHead}${chunks}5`],
  ["ends in its last line", `${chunkedHead}${chunks}0\r\n`],
  ["has a chunk that is longer than its size", `${chunkedHead}${chunks}3\r\nabcde\r\n0\r\n\r\n`],
  ["has a chunk without a size", `${chunkedHead}${chunks}word\r\n0\r\n\r\n`],
];

test.each(malformedAnswers)(
  "reports an answer that %s as an error however it is split, after the data before",
  async (_, bytes) => {
    const { host } = await serveBytes(bytes, true);
    for (let at = 0; at < bytes.length; at++) {
      const received: Buffer[] = [];
      const onChunks = (chunks: readonly Buffer[]) => {
        received.push(...chunks);
        return undefined;
      };
      const stream = await openTestStream(host);
      await expect(stream.pipeTo({ isDone: false, onChunks })).rejects.toMatchObject({
        code: "upstream_cut",
      });
      stream.close(false);
      expect(Buffer.concat(received).toString("latin1").slice(0, 11)).toBe(facade);
    }
  },
);

test("handles thousands of informational responses in one chunk", async () => {
  const early = "HTTP/1.1 103 -\r\n\r\n".repeat(20_000);
  const server = createPlainServer((socket) => {
    socket.once("data", () => socket.write(`${early}${chunkedHead}${chunks}0\r\n\r\n`));
  });
  const to = await connectTo(server);
  expect((await readAll(to, () => undefined)).toString()).toBe(facade);
});

test("times out without data", async () => {
  const { host } = await serve(false, (_request, response) => {
    response.writeHead(200, eventStreamHeaders).write("hello");
  });
  await expect(readAll(host, () => undefined, 100)).rejects.toMatchObject({ code: "timeout" });
});

test("does not time out while a slow sink holds the stream back", async () => {
  const { host } = await serve(false, (_request, response) => {
    response.writeHead(200, eventStreamHeaders).end(body);
  });
  let isFirst = true;
  const waitOnce = () => {
    const wait = isFirst ? setTimeout(2_500) : undefined;
    isFirst = false;
    return wait;
  };
  expect((await readAll(host, waitOnce, 200)).equals(body)).toBe(true);
});
