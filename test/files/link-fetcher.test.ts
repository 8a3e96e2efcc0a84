import { createHash, randomBytes } from "node:crypto";
import { getEventListeners } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.js";
import { LinkFetcher } from "../../src/files/link-fetcher.js";
import { Guard } from "../../src/files/ssrf-guard.js";
import { version } from "../../src/lib/version.js";
import { until } from "../gateway.js";
import { floods, hostileServers, ok } from "./hostile-servers.js";
import { readAll, startRawSite, startSite, testFetcher } from "./links.js";

const signal = new AbortController().signal;
afterEach(() => expect(getEventListeners(signal, "abort")).toEqual([]));

const megabyte = 1_048_576;

const fetched = async (fetcher: LinkFetcher, link: string) =>
  readAll((await fetcher.open(link, signal)).body);

/** What the promise fails with, which must be an error of ours that says nothing of the link but its host. */
async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GatewayError)) throw error;
  expect(error.cause).toBeUndefined();
  expect(`${error.message}${error.upstreamCode}`).not.toMatch(/CANARY|127\.0\.0\.1|::1/);
  return error;
}

describe("a file behind a link", () => {
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

  /** The bytes in pieces of many odd sizes, one write each. */
  async function pieces(socket: Socket, length: string, wrap: (piece: Buffer) => Buffer): Promise<void> {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\n${length}\r\n`);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 3) % 65_521) {
      if (!socket.write(wrap(bytes.subarray(at, at + size))))
        await new Promise((resolve) => socket.once("drain", resolve));
    }
    socket.end(length.startsWith("transfer") ? "0\r\n\r\n" : "");
  }

  test.each(framings)("%s arrives byte for byte, and its connection is closed", async (_framing, talk) => {
    const site = await startRawSite(talk);
    const { fetcher } = testFetcher();
    const { body, ...file } = await fetcher.open(`http://public.test:${site.port}/report.pdf#page=2`, signal);
    expect(file).toMatchObject({
      url: `http://public.test:${site.port}/report.pdf`,
      mediaType: "application/pdf",
      name: "report.pdf",
    });
    expect(sha256(await readAll(body))).toBe(sha256(bytes));
    await until(() => site.open.size === 0);
    expect(site.connections).toBe(1);
  });

  test("under a name with a dot at its end, by the connector and the resolver as they are", async () => {
    const site = await startSite((_request, response) => response.end("x"));
    const answers = [["127.0.0.1"], ["169.254.169.254"]];
    const fetcher = new LinkFetcher(new Guard({ allowPrivate: true }), {
      resolve: async () => (answers.shift() ?? []).map((address) => ({ address, family: 4 })),
    });
    expect(String(await fetched(fetcher, `http://public.test.:${site.port}/`))).toBe("x");
    expect(answers.length).toBe(1);
    const system = new LinkFetcher(new Guard({ allowPrivate: true }));
    expect(String(await fetched(system, `http://localhost:${site.port}/`))).toBe("x");
    expect(String(await fetched(testFetcher().fetcher, `http://public.test.:${site.port}/`))).toBe("x");
  });

  test("is asked for with nothing of the person's, nor of an earlier hop's", async () => {
    const site = await startSite((request, response) => {
      response.setHeader("set-cookie", "session=CANARY");
      if (request.url === "/a?b=c") response.writeHead(302, { location: "/file" });
      response.end("x");
    });
    const { fetcher } = testFetcher();
    expect(String(await fetched(fetcher, `http://public.test:${site.port}/a?b=c#d`))).toBe("x");
    const host = ["host", `public.test:${site.port}`];
    const ours = ["user-agent", `Moonbridge/${version}`, "accept", "*/*", "accept-encoding", "identity"];
    expect(site.requests.map(({ method, url, rawHeaders }) => [method, url, rawHeaders])).toEqual([
      ["GET", "/a?b=c", [...host, "connection", "close", ...ours]],
      ["GET", "/file", [...host, "connection", "close", ...ours]],
    ]);
  });

  test("is described by HEAD alone", async () => {
    const site = await startSite((_request, response) =>
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
    await until(() => site.open.size === 0);
  });

  test.each([403, 404, 405, 501])(
    "is described by GET where HEAD gets %i, and its body is left",
    async (status) => {
      const site = await startSite((request, response) => {
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
      await until(() => site.open.size === 0);
    },
  );

  test("by https: the certificate must be that of the name, not of the address", async () => {
    const site = await startSite((_request, response) => response.end("secret"), { secure: true });
    const { fetcher } = testFetcher();
    expect(String(await fetched(fetcher, `https://secure.test:${site.port}/`))).toBe("secret");
    const error = await failure(fetcher.open(`https://other.test:${site.port}/`, signal));
    expect([error.code, error.message]).toEqual([
      "link_unreachable",
      "The link to “other.test” cannot be fetched: its server has no valid certificate.",
    ]);
    await until(() => site.open.size === 0);
  });
});

describe("redirects", () => {
  /** `/n` leads to `/n-1`, and `/0` is the file. */
  const countdown = () =>
    startSite((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(302, { location: `${left - 1}` });
      response.end("there");
    });

  test("five are followed, six are not; each by a connection that is closed", async () => {
    const site = await countdown();
    const { fetcher } = testFetcher();
    const five = await fetcher.open(`http://public.test:${site.port}/5`, signal);
    expect(five.url).toBe(`http://public.test:${site.port}/0`);
    expect(String(await readAll(five.body))).toBe("there");
    expect(await failure(fetcher.open(`http://public.test:${site.port}/6`, signal))).toMatchObject({
      code: "link_unreachable",
      message: "The link to “public.test” cannot be fetched: it redirects too often.",
    });
    await until(() => site.open.size === 0);
    expect(site.connections).toBe(12);
  });

  test("count for HEAD and GET together", async () => {
    const site = await startSite((request, response) => {
      if (request.method === "HEAD" && request.url === "/2") return response.writeHead(405).end();
      return response.writeHead(302, { location: `${Number(request.url?.slice(1)) - 1}` }).end();
    });
    const { fetcher } = testFetcher();
    expect((await failure(fetcher.describe(`http://public.test:${site.port}/5`, signal))).message).toMatch(
      "too often",
    );
    expect(site.requests.map(({ method, url }) => method + (url ?? "")).join(" ")).toBe(
      "HEAD/5 HEAD/4 HEAD/3 HEAD/2 GET/2 GET/1 GET/0",
    );
  });

  test("leave the page behind that they come with", async () => {
    const there = await startSite((_request, response) => response.end("there"));
    const header = `HTTP/1.1 302 Found\r\nlocation: http://public.test:${there.port}/\r\n\r\n`;
    const endless = await startRawSite(floods(header, Buffer.alloc(65_536)));
    const { fetcher } = testFetcher();
    expect(String(await fetched(fetcher, `http://public.test:${endless.port}/`))).toBe("there");
    await until(() => endless.open.size === 0);
  });

  test("in a circle end", async () => {
    const site = await startSite((_request, response) => response.writeHead(301, { location: "" }).end());
    const { fetcher } = testFetcher();
    const circle = await startSite((request, response) =>
      response.writeHead(301, { location: request.url === "/a" ? "/b" : "/a" }).end(),
    );
    expect((await failure(fetcher.open(`http://public.test:${circle.port}/a`, signal))).message).toMatch(
      "too often",
    );
    expect(circle.connections).toBe(6);
    expect((await failure(fetcher.open(`http://public.test:${site.port}/`, signal))).message).toMatch(
      "to nowhere",
    );
  });

  test("go from http to https, never back", async () => {
    const plain = await startSite((_request, response) => response.end("plain"));
    const secure = await startSite(
      (request, response) =>
        response
          .writeHead(request.url === "/down" ? 302 : 200, { location: `http://public.test:${plain.port}/` })
          .end("secure"),
      { secure: true },
    );
    const up = await startSite((request, response) =>
      response.writeHead(302, { location: `https://secure.test:${secure.port}${request.url}` }).end(),
    );
    const { fetcher } = testFetcher();
    expect(String(await fetched(fetcher, `http://public.test:${up.port}/`))).toBe("secure");
    expect(await failure(fetcher.open(`http://public.test:${up.port}/down`, signal))).toMatchObject({
      code: "link_forbidden",
      message: "The link to “public.test” is not fetched: it is a redirect from https to http.",
    });
    expect(plain.connections).toBe(0);
  });
});

describe("names and types", () => {
  const served = async (path: string, headers: Record<string, string>) => {
    const site = await startSite((_request, response) => response.writeHead(200, headers).end());
    const { fetcher } = testFetcher();
    const { name, mediaType } = await fetcher.describe(`http://public.test:${site.port}${path}`, signal);
    return [name, mediaType];
  };

  test("are those of the header", async () => {
    const disposition = Buffer.from('attachment; filename="报告.pdf"').toString("latin1");
    const headers = { "content-type": "Application/PDF; x=y", "content-disposition": disposition };
    expect(await served("/download.php?id=7", headers)).toEqual(["报告.pdf", "application/pdf"]);
    headers["content-disposition"] = 'inline; filename="caf\xe9.pdf"';
    expect(await served("/", headers)).toEqual(["café.pdf", "application/pdf"]);
  });

  test("are those of the address where the header has none, and complete each other", async () => {
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

describe("a server that means no good", () => {
  const bounds = { headers: 400, silence: 400, file: 4 * megabyte };

  test.each(hostileServers)("$name: $code", async ({ talk, code, message, bounds: more }) => {
    const site = await startRawSite(talk);
    const { fetcher } = testFetcher({ bounds: { ...bounds, ...more } });
    const error = await failure(fetched(fetcher, `http://public.test:${site.port}/CANARY?CANARY`));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(error).toMatchObject({ status: 400, retryable: false });
    await until(() => site.open.size === 0);
  });

  test("and sends more than it announced is read as far as it announced", async () => {
    const site = await startRawSite((socket) => socket.end(`${ok}content-length: 4\r\n\r\nhalf and more`));
    expect(String(await fetched(testFetcher().fetcher, `http://public.test:${site.port}/`))).toBe("half");
    await until(() => site.open.size === 0);
  });

  test("a file just as large as it may be is read whole", async () => {
    const site = await startSite((_request, response) => response.end(Buffer.alloc(4 * megabyte)));
    const { fetcher } = testFetcher({ bounds });
    expect((await fetched(fetcher, `http://public.test:${site.port}/`)).length).toBe(4 * megabyte);
  });

  test("500 answers of nonsense, whole or cut anywhere: a file or an error of ours, and nothing stays open", async () => {
    let answer = Buffer.alloc(0);
    const site = await startRawSite((socket) => socket.end(answer));
    const { fetcher } = testFetcher({ bounds });
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
      await fetched(fetcher, link).catch((error: unknown) => failure(Promise.reject(error)));
    }
    await until(() => site.open.size === 0);
  });
});

describe("a server that is not there", () => {
  test("on a closed port", async () => {
    const { fetcher } = testFetcher();
    const error = await failure(fetcher.open("http://public.test:1/CANARY", signal));
    expect([error.code, error.message]).toEqual([
      "link_unreachable",
      "The link to “public.test” cannot be fetched: its server cannot be reached.",
    ]);
    expect((await failure(fetcher.open("http://public.test:0/", signal))).code).toBe("link_unreachable");
  });

  test("under a name that nobody knows, by the system's resolver too", async () => {
    const unknown = testFetcher({ names: { "nobody.test": [[]] } }).fetcher;
    expect((await failure(unknown.open("http://nobody.test/", signal))).message).toMatch("has no address");
    const system = new LinkFetcher(new Guard({ allowPrivate: false }));
    expect((await failure(system.open("http://nobody.invalid/", signal))).message).toMatch(
      "its host is unknown",
    );
  });

  test("because the resolver never answers", async () => {
    const guard = new Guard({ allowPrivate: false });
    const fetcher = new LinkFetcher(guard, {
      resolve: () => new Promise(() => {}),
      bounds: { connect: 300 },
    });
    expect((await failure(fetcher.open("http://public.test/", signal))).message).toMatch(
      "did not answer in time",
    );
  });
});

describe("whoever fetches may leave", () => {
  const reason = new GatewayError("cancelled", "The client left.");

  test("before anything happens, and nothing does", async () => {
    const site = await startSite((_request, response) => response.end());
    const { fetcher, lookups } = testFetcher();
    const left = AbortSignal.abort(reason);
    expect(await failure(fetcher.open(`http://public.test:${site.port}/`, left))).toBe(reason);
    expect([site.connections, lookups]).toEqual([0, []]);
  });

  test("while the name is looked up", async () => {
    const client = new AbortController();
    const fetcher = new LinkFetcher(new Guard({ allowPrivate: false }), {
      resolve: () => new Promise(() => client.abort(reason)),
    });
    expect(await failure(fetcher.open("http://public.test/", client.signal))).toBe(reason);
  });

  test("while the server thinks", async () => {
    const client = new AbortController();
    const site = await startRawSite(() => client.abort(reason));
    expect(
      await failure(testFetcher().fetcher.describe(`http://public.test:${site.port}/`, client.signal)),
    ).toBe(reason);
    await until(() => site.open.size === 0);
  });

  const endless = () => startRawSite(floods(`${ok}\r\n`, Buffer.alloc(65_536)));

  test("in the middle of the body, by the signal", async () => {
    const site = await endless();
    const client = new AbortController();
    const { body } = await testFetcher().fetcher.open(`http://public.test:${site.port}/`, client.signal);
    const reading = (async () => {
      for await (const _chunk of body) client.abort(reason);
    })();
    expect(await failure(reading)).toBe(reason);
    await until(() => site.open.size === 0);
  });

  test("in the middle of the body, by leaving the iteration", async () => {
    const site = await endless();
    const { body } = await testFetcher().fetcher.open(`http://public.test:${site.port}/`, signal);
    for await (const _chunk of body) break;
    await until(() => site.open.size === 0);
  });

  test("without reading at all: by closing, by the signal, or when the time is over", async () => {
    const site = await endless();
    const link = `http://public.test:${site.port}/`;
    const client = new AbortController();
    (await testFetcher().fetcher.open(link, signal)).close();
    await until(() => site.open.size === 0);
    await testFetcher().fetcher.open(link, client.signal);
    client.abort(reason);
    await until(() => site.open.size === 0);
    await testFetcher({ bounds: { total: 100 } }).fetcher.open(link, new AbortController().signal);
    await until(() => site.open.size === 0);
    expect(site.connections).toBe(3);
  });

  test("and a slow reader is no silent server", async () => {
    const site = await startSite((_request, response) => response.end(Buffer.alloc(3 * megabyte)));
    const { fetcher } = testFetcher({ bounds: { silence: 300 } });
    const { body } = await fetcher.open(`http://public.test:${site.port}/`, signal);
    let size = 0;
    for await (const chunk of body) {
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 2_000));
      size += chunk.length;
    }
    expect(size).toBe(3 * megabyte);
  });
});
