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
import { Pool } from "undici";
import { expect, onTestFinished, test, vi } from "vitest";
import { openAnswer } from "../../../src/upstreams/http/client.js";
import { straightConnector } from "../../../src/upstreams/http/raw-connector.js";
import { AnswerStream } from "../../../src/upstreams/http/response-stream.js";

const cert = readFileSync(new URL("../../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../../fixtures/secure.test.key", import.meta.url));

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
  onTestFinished(() => server.closeAllConnections());
  return { to: await connectTo(server, secure), sockets };
}

/** Lets a server listen, for a pool of straight connections. */
async function connectTo(server: PlainServer, secure = false) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connect = straightConnector({ ...(secure ? { ca: cert } : {}), lookup, timeout: 5_000 });
  const pool = new Pool(`http${secure ? "s" : ""}://secure.test:${port}`, { connect, bodyTimeout: 500 });
  onTestFinished(async () => {
    await pool.destroy();
    server.close();
  });
  return { service: "Kimi", pool, prefix: "", recorded: false };
}

type To = Awaited<ReturnType<typeof connectTo>>;

async function open(to: To, silence = 10_000): Promise<AnswerStream> {
  const signal = new AbortController().signal;
  const stream = await openAnswer(to, { method: "GET", path: "/", signal, silence }, "text/event-stream");
  if (!(stream instanceof AnswerStream)) throw new Error("no stream");
  return stream;
}

/** Reads to the end, and waits each time until `next` resolves. */
async function read(to: To, next: () => Promise<void> | undefined, silence?: number): Promise<Buffer> {
  const heard: Buffer[] = [];
  const stream = await open(to, silence);
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

const chunkedHead =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/** Of letters that could be a size. */
const [facade, chunks] = ["abcdefacade", "5\r\nabcde\r\n6\r\nfacade\r\n"];

/** A server that answers with these bytes in three parts, cut elsewhere each time; it waits until a part has arrived. */
async function serveBytes(bytes: string, ends: boolean) {
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
      if (ends) socket.end();
    });
  });
  return { to: await connectTo(server), connections: () => connections };
}

const goodBytes: [string, string, string][] = [
  ["in chunks", `${chunkedHead}${chunks}0\r\n\r\n`, facade],
  ["with trailers", `${chunkedHead}${chunks}0\r\nx-a: b\r\n\r\n`, facade],
  ["with an extension on the way", `${chunkedHead}${chunks}2;a=b\r\n!!\r\n0\r\n\r\n`, `${facade}!!`],
  [
    "behind an early one",
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${chunkedHead}${chunks}0\r\n\r\n`,
    facade,
  ],
  [
    "that quotes a head",
    `${chunkedHead}13\r\nHTTP/1.1 200 OK\r\n\r\n\r\n0\r\n\r\n`,
    "HTTP/1.1 200 OK\r\n\r\n",
  ],
  [
    "of a known length",
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${chunks.length}\r\n\r\n${chunks}`,
    chunks,
  ],
];

test.each(goodBytes)(
  "an answer %s arrives whole however it is split, and its connection serves again",
  async (_, bytes, text) => {
    const { to, connections } = await serveBytes(bytes, false);
    for (let at = 0; at < bytes.length; at++) {
      expect((await read(to, () => undefined)).toString("latin1")).toBe(text);
      await setImmediate();
    }
    expect(connections()).toBeLessThanOrEqual(2);
  },
);

const badBytes: [string, string][] = [
  ["ends between two chunks", `${chunkedHead}${chunks}`],
  ["ends in a chunk", `${chunkedHead}${chunks}5\r\nabc`],
  ["ends in a size", `${chunkedHead}${chunks}5`],
  ["ends in its last line", `${chunkedHead}${chunks}0\r\n`],
  ["has a chunk that is longer than its size", `${chunkedHead}${chunks}3\r\nabcde\r\n0\r\n\r\n`],
  ["has a chunk without a size", `${chunkedHead}${chunks}word\r\n0\r\n\r\n`],
];

test.each(badBytes)(
  "an answer that %s is an error however it is split, and what came before is heard",
  async (_, bytes) => {
    const { to } = await serveBytes(bytes, true);
    for (let at = 0; at < bytes.length; at++) {
      const heard: Buffer[] = [];
      const hear = (chunks: readonly Buffer[]) => {
        heard.push(...chunks);
        return undefined;
      };
      const stream = await open(to);
      await expect(stream.read({ isOver: false, hear })).rejects.toMatchObject({ code: "upstream_cut" });
      stream.close(false);
      expect(Buffer.concat(heard).toString("latin1").slice(0, 11)).toBe(facade);
    }
  },
);

test("thousands of early heads in one piece are no burden", async () => {
  const early = "HTTP/1.1 103 -\r\n\r\n".repeat(20_000);
  const server = createPlainServer((socket) => {
    socket.once("data", () => socket.write(`${early}${chunkedHead}${chunks}0\r\n\r\n`));
  });
  const to = await connectTo(server);
  expect((await read(to, () => undefined)).toString()).toBe(facade);
});

test("only the head and the last chunk of a body are undici's to read", async () => {
  const { to } = await serveBytes(`${chunkedHead}${chunks}0\r\n\r\n`, false);
  const heard = vi.spyOn(AnswerStream.prototype, "onResponseData");
  onTestFinished(() => heard.mockRestore());
  expect((await read(to, () => undefined)).toString()).toBe(facade);
  expect(heard).not.toHaveBeenCalled();
});

/** A server that says something, and 300 ms later more, if anything. */
async function serveSlowly(more: string | undefined) {
  return serve(false, async (_request, response) => {
    response.writeHead(200, type).write("hello");
    await setTimeout(300);
    if (more) response.end(more);
  });
}

test("silence is an error", async () => {
  const { to } = await serveSlowly(undefined);
  await expect(read(to, () => undefined, 100)).rejects.toMatchObject({ code: "timeout" });
});

test("a reader that takes its time is not silence", async () => {
  const { to } = await serveSlowly(" world");
  expect((await read(to, () => setTimeout(400), 200)).toString()).toBe("hello world");
});

test("undici, which hears nothing of a body, does not take that for silence", async () => {
  const { to } = await serve(false, async (_request, response) => {
    response.writeHead(200, type);
    for (let word = 0; word < 25; word++) {
      response.write("hello");
      await setTimeout(100);
    }
    response.end();
  });
  expect(await read(to, () => undefined)).toHaveLength(125);
});
