import { createHash, randomBytes } from "node:crypto";
import { getEventListeners } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.js";
import { LinkFetcher } from "../../src/files/link-fetcher.js";
import { SsrfGuard } from "../../src/files/ssrf-guard.js";
import { version } from "../../src/lib/version.js";
import { waitUntil } from "../gateway.js";
import { flood, hostileServers, ok } from "./hostile-servers.js";
import { readAll, startRawServer, startServer, testFetcher } from "./test-servers.js";

const signal = new AbortController().signal;
afterEach(() => expect(getEventListeners(signal, "abort")).toEqual([]));

const megabyte = 1_048_576;

const fetchBytes = async (fetcher: LinkFetcher, link: string) =>
  readAll((await fetcher.open(link, signal)).body);

/** The GatewayError that the promise rejects with; checks that it reveals nothing of the link but its host. */
async function linkErrorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GatewayError)) throw error;
  expect(error.cause).toBeUndefined();
  expect(`${error.message}${error.upstreamCode}`).not.toMatch(/CANARY|127\.0\.0\.1|::1/);
  return error;
}

describe("a linked file", () => {
  const bytes = randomBytes(3 * megabyte + 7);
  const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");

  const framings: [string, (socket: Socket) => void][] = [
    [
      "of a given length",
      (socket) => pieces(socket, `content-length: ${bytes.length}\r\n`, (piece) => piece),
    ],
    ["that ends with the connection", (socket) => pieces(socket, "", (piece) => piece)],
    [
      "in chunks",
      (socket) =>
        pieces(socket, "transfer-encoding: chunked\r\n", (piece) =>
          Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
        ),
    ],
  ];

  /** Sends the bytes in pieces of varying sizes, one write each. */
  async function pieces(socket: Socket, length: string, wrap: (piece: Buffer) => Buffer): Promise<void> {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\n${length}\r\n`);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 3) % 65_521) {
      if (!socket.write(wrap(bytes.subarray(at, at + size))))
        await new Promise((resolve) => socket.once("drain", resolve));
    }
    socket.end(length.startsWith("transfer") ? "0\r\n\r\n" : "");
  }

  test.each(framings)(
    "%s is received byte for byte, and its connection is closed",
    async (_framing, respond) => {
      const site = await startRawServer(respond);
      const { fetcher } = testFetcher();
      const { body, ...file } = await fetcher.open(
        `http://public.test:${site.port}/report.pdf#page=2`,
        signal,
      );
      expect(file).toMatchObject({
        url: `http://public.test:${site.port}/report.pdf`,
        mediaType: "application/pdf",
        name: "report.pdf",
      });
      expect(sha256(await readAll(body))).toBe(sha256(bytes));
      await waitUntil(() => site.open.size === 0);
      expect(site.connections).toBe(1);
    },
  );

  test("works with a trailing dot in the host name, and with the default connector and resolver", async () => {
    const site = await startServer((_request, response) => response.end("x"));
    const answers = [["127.0.0.1"], ["169.254.169.254"]];
    const fetcher = new LinkFetcher(new SsrfGuard({ allowPrivate: true }), {
      resolve: async () => (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
    });
    expect(String(await fetchBytes(fetcher, `http://public.test.:${site.port}/`))).toBe("x");
    expect(answers.length).toBe(1);
    const system = new LinkFetcher(new SsrfGuard({ allowPrivate: true }));
    expect(String(await fetchBytes(system, `http://localhost:${site.port}/`))).toBe("x");
    expect(String(await fetchBytes(testFetcher().fetcher, `http://public.test.:${site.port}/`))).toBe("x");
  });

  test("is requested without data of the user or of an earlier hop", async () => {
    const site = await startServer((request, response) => {
      response.setHeader("set-cookie", "session=CANARY");
      if (request.url === "/a?b=c") response.writeHead(302, { location: "/file" });
      response.end("x");
    });
    const { fetcher } = testFetcher();
    expect(String(await fetchBytes(fetcher, `http://public.test:${site.port}/a?b=c#d`))).toBe("x");
    const host = ["host", `public.test:${site.port}`];
    const ours = ["user-agent", `Moonbridge/${version}`, "accept", "*/*", "accept-encoding", "identity"];
    expect(site.requests.map(({ method, url, rawHeaders }) => [method, url, rawHeaders])).toEqual([
      ["GET", "/a?b=c", [...host, "connection", "close", ...ours]],
      ["GET", "/file", [...host, "connection", "close", ...ours]],
    ]);
  });

  test("is described by a HEAD request alone", async () => {
    const site = await startServer((_request, response) =>
      response.writeHead(200, { "content-type": "image/PNG; charset=x", "content-length": 12_345 }).end(),
    );
    const { fetcher } = testFetcher();
    expect(await fetcher.describe(`http://public.test:${site.port}/a/b.png`, signal)).toEqual({
      url: `http://public.test:${site.port}/a/b.png`,
      mediaType: "image/png",
      name: "b.png",
      size: 12_345,
    });
    expect(site.requests.map(({ method }) => method)).toEqual(["HEAD"]);
    await waitUntil(() => site.open.size === 0);
  });

  test.each([403, 404, 405, 501])(
    "is described by a GET request without its body if HEAD fails with %i",
    async (status) => {
      const site = await startServer((request, response) => {
        if (request.method === "HEAD") return response.writeHead(status).end();
        response.writeHead(200, { "content-type": "text/csv", "content-length": 2_000 * megabyte });
        return response.write(Buffer.alloc(megabyte));
      });
      const { fetcher } = testFetcher();
      expect(await fetcher.describe(`http://public.test:${site.port}/t.csv`, signal)).toMatchObject({
        mediaType: "text/csv",
        size: 2_000 * megabyte,
      });
      expect(site.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
      await waitUntil(() => site.open.size === 0);
    },
  );

  test("over https needs a certificate for the host name", async () => {
    const site = await startServer((_request, response) => response.end("secret"), { secure: true });
    const { fetcher } = testFetcher();
    expect(String(await fetchBytes(fetcher, `https://secure.test:${site.port}/`))).toBe("secret");
    const error = await linkErrorOf(fetcher.open(`https://other.test:${site.port}/`, signal));
    expect([error.code, error.message]).toEqual([
      "link_unreachable",
      "The link to “other.test” cannot be fetched: its server has no valid certificate.",
    ]);
    await waitUntil(() => site.open.size === 0);
  });
});

describe("redirects", () => {
  /** `/n` redirects to `/n-1`, and `/0` is the file. */
  const countdown = () =>
    startServer((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(302, { location: `${left - 1}` });
      response.end("there");
    });

  test("are followed five times and not six, each on its own connection", async () => {
    const site = await countdown();
    const { fetcher } = testFetcher();
    const five = await fetcher.open(`http://public.test:${site.port}/5`, signal);
    expect(five.url).toBe(`http://public.test:${site.port}/0`);
    expect(String(await readAll(five.body))).toBe("there");
    expect(await linkErrorOf(fetcher.open(`http://public.test:${site.port}/6`, signal))).toMatchObject({
      code: "link_unreachable",
      message: "The link to “public.test” cannot be fetched: it redirects too often.",
    });
    await waitUntil(() => site.open.size === 0);
    expect(site.connections).toBe(12);
  });

  test("are counted for HEAD and GET together", async () => {
    const site = await startServer((request, response) => {
      if (request.method === "HEAD" && request.url === "/2") return response.writeHead(405).end();
      return response.writeHead(302, { location: `${Number(request.url?.slice(1)) - 1}` }).end();
    });
    const { fetcher } = testFetcher();
    expect(
      (await linkErrorOf(fetcher.describe(`http://public.test:${site.port}/5`, signal))).message,
    ).toMatch("too often");
    expect(site.requests.map(({ method, url }) => method + (url ?? "")).join(" ")).toBe(
      "HEAD/5 HEAD/4 HEAD/3 HEAD/2 GET/2 GET/1 GET/0",
    );
  });

  test("do not wait for the body of the redirecting response", async () => {
    const there = await startServer((_request, response) => response.end("there"));
    const header = `HTTP/1.1 302 Found\r\nlocation: http://public.test:${there.port}/\r\n\r\n`;
    const endless = await startRawServer(flood(header, Buffer.alloc(65_536)));
    const { fetcher } = testFetcher();
    expect(String(await fetchBytes(fetcher, `http://public.test:${endless.port}/`))).toBe("there");
    await waitUntil(() => endless.open.size === 0);
  });

  test("in a loop or without a target are errors", async () => {
    const site = await startServer((_request, response) => response.writeHead(301, { location: "" }).end());
    const { fetcher } = testFetcher();
    const circle = await startServer((request, response) =>
      response.writeHead(301, { location: request.url === "/a" ? "/b" : "/a" }).end(),
    );
    expect((await linkErrorOf(fetcher.open(`http://public.test:${circle.port}/a`, signal))).message).toMatch(
      "too often",
    );
    expect(circle.connections).toBe(6);
    expect((await linkErrorOf(fetcher.open(`http://public.test:${site.port}/`, signal))).message).toMatch(
      "to nowhere",
    );
  });

  test("may go from http to https, but not back", async () => {
    const plain = await startServer((_request, response) => response.end("plain"));
    const secure = await startServer(
      (request, response) =>
        response
          .writeHead(request.url === "/down" ? 302 : 200, { location: `http://public.test:${plain.port}/` })
          .end("secure"),
      { secure: true },
    );
    const up = await startServer((request, response) =>
      response.writeHead(302, { location: `https://secure.test:${secure.port}${request.url}` }).end(),
    );
    const { fetcher } = testFetcher();
    expect(String(await fetchBytes(fetcher, `http://public.test:${up.port}/`))).toBe("secure");
    expect(await linkErrorOf(fetcher.open(`http://public.test:${up.port}/down`, signal))).toMatchObject({
      code: "link_forbidden",
      message: "The link to “public.test” is not fetched: it is a redirect from https to http.",
    });
    expect(plain.connections).toBe(0);
  });
});

describe("the name and type of a linked file", () => {
  const served = async (path: string, headers: Record<string, string>) => {
    const site = await startServer((_request, response) => response.writeHead(200, headers).end());
    const { fetcher } = testFetcher();
    const { name, mediaType } = await fetcher.describe(`http://public.test:${site.port}${path}`, signal);
    return [name, mediaType];
  };

  test("come from the headers", async () => {
    const disposition = Buffer.from('attachment; filename="报告.pdf"').toString("latin1");
    const headers = { "content-type": "Application/PDF; x=y", "content-disposition": disposition };
    expect(await served("/download.php?id=7", headers)).toEqual(["报告.pdf", "application/pdf"]);
    headers["content-disposition"] = 'inline; filename="caf\xe9.pdf"';
    expect(await served("/", headers)).toEqual(["café.pdf", "application/pdf"]);
  });

  test("come from the URL if the headers have none, and complete each other", async () => {
    expect(await served("/pdf/2401.12345", { "content-type": "application/pdf" })).toEqual([
      "2401.12345.pdf",
      "application/pdf",
    ]);
    expect(await served("/a/photo.heic?b", { "content-type": "application/octet-stream" })).toEqual([
      "photo.heic",
      "image/heic",
    ]);
    expect(await served("/", {})).toEqual(["file", "application/octet-stream"]);
  });
});

describe("a hostile server", () => {
  const fetchLimits = { headers: 400, idle: 400, file: 4 * megabyte };

  test.each(hostileServers)(
    "that $name causes $code",
    async ({ respond, code, message, fetchLimits: extraLimits }) => {
      const site = await startRawServer(respond);
      const { fetcher } = testFetcher({ fetchLimits: { ...fetchLimits, ...extraLimits } });
      const error = await linkErrorOf(fetchBytes(fetcher, `http://public.test:${site.port}/CANARY?CANARY`));
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
      expect(error).toMatchObject({ status: 400, retryable: false });
      await waitUntil(() => site.open.size === 0);
    },
  );

  test("that sends more than its content-length is read up to that length", async () => {
    const site = await startRawServer((socket) => socket.end(`${ok}content-length: 4\r\n\r\nhalf and more`));
    expect(String(await fetchBytes(testFetcher().fetcher, `http://public.test:${site.port}/`))).toBe("half");
    await waitUntil(() => site.open.size === 0);
  });

  test("reads a file of exactly the maximum size", async () => {
    const site = await startServer((_request, response) => response.end(Buffer.alloc(4 * megabyte)));
    const { fetcher } = testFetcher({ fetchLimits });
    expect((await fetchBytes(fetcher, `http://public.test:${site.port}/`)).length).toBe(4 * megabyte);
  });

  test("yields a file or a GatewayError for 500 malformed responses, and leaves no connection open", async () => {
    let answer = Buffer.alloc(0);
    const site = await startRawServer((socket) => socket.end(answer));
    const { fetcher } = testFetcher({ fetchLimits });
    const good = `${ok}content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n`;
    const nonsense = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(good.length).map((at) => Buffer.from(good.slice(0, at))),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const damaged = Buffer.from(good);
        damaged[at] = byte;
        return damaged;
      }),
    );
    for (const bytes of fc.sample(nonsense, { numRuns: 500, seed: 7 })) {
      answer = bytes;
      const link = `http://public.test:${site.port}/CANARY`;
      await fetchBytes(fetcher, link).catch((error: unknown) => linkErrorOf(Promise.reject(error)));
    }
    await waitUntil(() => site.open.size === 0);
  });
});

describe("an unreachable server", () => {
  test("on a closed port", async () => {
    const { fetcher } = testFetcher();
    const error = await linkErrorOf(fetcher.open("http://public.test:1/CANARY", signal));
    expect([error.code, error.message]).toEqual([
      "link_unreachable",
      "The link to “public.test” cannot be fetched: its server cannot be reached.",
    ]);
    expect((await linkErrorOf(fetcher.open("http://public.test:0/", signal))).code).toBe("link_unreachable");
  });

  test("with an unknown host name, also for the system's resolver", async () => {
    const unknown = testFetcher({ names: { "nobody.test": [[]] } }).fetcher;
    expect((await linkErrorOf(unknown.open("http://nobody.test/", signal))).message).toMatch(
      "has no address",
    );
    const system = new LinkFetcher(new SsrfGuard({ allowPrivate: false }));
    expect((await linkErrorOf(system.open("http://nobody.invalid/", signal))).message).toMatch(
      "its host is unknown",
    );
  });

  test("whose DNS look-up never completes", async () => {
    const guard = new SsrfGuard({ allowPrivate: false });
    const fetcher = new LinkFetcher(guard, {
      resolve: () => new Promise(() => {}),
      fetchLimits: { connect: 300 },
    });
    expect((await linkErrorOf(fetcher.open("http://public.test/", signal))).message).toMatch(
      "did not answer in time",
    );
  });
});

describe("a fetch can be cancelled", () => {
  const reason = new GatewayError("cancelled", "The client left.");

  test("before it starts", async () => {
    const site = await startServer((_request, response) => response.end());
    const { fetcher, lookups } = testFetcher();
    const left = AbortSignal.abort(reason);
    expect(await linkErrorOf(fetcher.open(`http://public.test:${site.port}/`, left))).toBe(reason);
    expect([site.connections, lookups]).toEqual([0, []]);
  });

  test("during the DNS look-up", async () => {
    const client = new AbortController();
    const fetcher = new LinkFetcher(new SsrfGuard({ allowPrivate: false }), {
      resolve: () => new Promise(() => client.abort(reason)),
    });
    expect(await linkErrorOf(fetcher.open("http://public.test/", client.signal))).toBe(reason);
  });

  test("while the server has not responded", async () => {
    const client = new AbortController();
    const site = await startRawServer(() => client.abort(reason));
    expect(
      await linkErrorOf(testFetcher().fetcher.describe(`http://public.test:${site.port}/`, client.signal)),
    ).toBe(reason);
    await waitUntil(() => site.open.size === 0);
  });

  const endless = () => startRawServer(flood(`${ok}\r\n`, Buffer.alloc(65_536)));

  test("during the body by its signal", async () => {
    const site = await endless();
    const client = new AbortController();
    const { body } = await testFetcher().fetcher.open(`http://public.test:${site.port}/`, client.signal);
    const reading = (async () => {
      for await (const _chunk of body) client.abort(reason);
    })();
    expect(await linkErrorOf(reading)).toBe(reason);
    await waitUntil(() => site.open.size === 0);
  });

  test("during the body by leaving the iteration", async () => {
    const site = await endless();
    const { body } = await testFetcher().fetcher.open(`http://public.test:${site.port}/`, signal);
    for await (const _chunk of body) break;
    await waitUntil(() => site.open.size === 0);
  });

  test("before the body is read, by close, by its signal or by its timeout", async () => {
    const site = await endless();
    const link = `http://public.test:${site.port}/`;
    const client = new AbortController();
    (await testFetcher().fetcher.open(link, signal)).close();
    await waitUntil(() => site.open.size === 0);
    await testFetcher().fetcher.open(link, client.signal);
    client.abort(reason);
    await waitUntil(() => site.open.size === 0);
    await testFetcher({ fetchLimits: { total: 100 } }).fetcher.open(link, new AbortController().signal);
    await waitUntil(() => site.open.size === 0);
    expect(site.connections).toBe(3);
  });

  test("does not time out because of a slow reader", async () => {
    const site = await startServer((_request, response) => response.end(Buffer.alloc(3 * megabyte)));
    const { fetcher } = testFetcher({ fetchLimits: { idle: 300 } });
    const { body } = await fetcher.open(`http://public.test:${site.port}/`, signal);
    let size = 0;
    for await (const chunk of body) {
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 2_000));
      size += chunk.length;
    }
    expect(size).toBe(3 * megabyte);
  });
});

describe("the speed of a link", () => {
  const body = (bytesPerPiece: number) => (socket: Socket) => {
    socket.write(`${ok}\r\n`);
    const timer = setInterval(() => socket.write(Buffer.alloc(bytesPerPiece)), 20);
    socket.on("close", () => clearInterval(timer));
    setTimeout(() => socket.end(), 1_500).unref();
  };

  test("below the least one ends it", async () => {
    const site = await startRawServer(body(10));
    const { fetcher } = testFetcher({ fetchLimits: { speedWindow: 300 } });
    const error = await linkErrorOf(fetchBytes(fetcher, `http://public.test:${site.port}/`));
    expect([error.code, error.message]).toEqual([
      "link_unreachable",
      expect.stringMatching(/its server sends too slowly\.$/),
    ]);
    await waitUntil(() => site.open.size === 0);
  });

  test("above it does not", async () => {
    const site = await startRawServer(body(200_000));
    const { fetcher } = testFetcher({ fetchLimits: { speedWindow: 300 } });
    expect((await fetchBytes(fetcher, `http://public.test:${site.port}/`)).length).toBeGreaterThan(1_000_000);
  });
});
