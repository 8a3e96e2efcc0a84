import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Agent, request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { readTlsFiles } from "../../src/config/tls.js";
import { apiKey, chatBody, contentOf, type Gateway, parseChunks, startGateway } from "../gateway.js";

const folder = new URL("../fixtures/tls/", import.meta.url).pathname;
const pathsOf = (name: string) => ({
  certificate: `${folder}${name}-certificate.pem`,
  key: `${folder}${name}-key.pem`,
});
const ca = ["one", "other"].map((name) => readFileSync(pathsOf(name).certificate));

const startTls = (server: Record<string, unknown> = {}) =>
  startGateway({ server: { tls: pathsOf("one"), ...server } });

/** A client that trusts the two certificates, and checks them. */
function trustingAgent(): Agent {
  const agent = new Agent({ connect: { ca } });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** Starts a stream over a connection of its own. */
function stream(url: string, text: string) {
  return request(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(chatBody(text, { stream: true })),
    dispatcher: trustingAgent(),
  });
}

/** What the server answers to these bytes before it closes the connection. */
async function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data;
  });
  socket.write(bytes);
  await once(socket, "close");
  return received;
}

/** The name in the certificate that a new connection gets. */
async function presentedName({ url }: Pick<Gateway, "url">): Promise<string | undefined> {
  const socket = await openTls(url);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return Array.isArray(CN) ? CN[0] : CN;
}

async function openTls(
  url: string,
  options: { maxVersion?: "TLSv1.1" | "TLSv1.2" } = {},
): Promise<TLSSocket> {
  const socket = connectTls({ port: Number(new URL(url).port), host: "127.0.0.1", ca, ...options });
  await once(socket, "secureConnect");
  return socket;
}

test("every port speaks HTTPS, and its URL says so", async () => {
  const gateway = await startTls({ alsoListen: [0] });
  for (const url of [gateway.url, ...gateway.furtherUrls]) {
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { statusCode, body } = await stream(url, "sim:repeat=3");
    expect(statusCode).toBe(200);
    expect(contentOf(parseChunks(await body.text()))).toBe("1 2 3 ");
  }
  expect(gateway.furtherUrls).toHaveLength(1);
  expect((await openTls(gateway.url, { maxVersion: "TLSv1.2" })).destroy().destroyed).toBe(true);
});

test("at localhost each of its addresses speaks HTTPS", async () => {
  const { url } = await startTls({ host: "localhost" });
  const { statusCode } = await request(`${url}/healthz`, { dispatcher: trustingAgent() });
  expect(statusCode).toBe(200);
  const { port } = new URL(url);
  const { statusCode: byAddress } = await request(`https://127.0.0.1:${port}/healthz`, {
    dispatcher: trustingAgent(),
  });
  expect(byAddress).toBe(200);
});

test("HTTP at the port of HTTPS gets a sentence in the error envelope, with CORS headers", async () => {
  const { url } = await startTls();
  const origin = "https://chat.example";
  const answer = await sendRaw(url, `GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain("access-control-allow-origin: *");
  expect(answer).toContain("This port speaks HTTPS. Begin the address with https://");
  const response = await fetch(`${url.replace("https", "http")}/v1/chat/completions`, {
    ...{ method: "POST", body: JSON.stringify(chatBody("x".repeat(500_000))) },
  });
  expect(response.status).toBe(400);
});

test("a handshake that fails closes the connection, and other connections are served", async () => {
  const gateway = await startTls();
  // The first byte is that of a handshake, the rest is none.
  const answer = await sendRaw(gateway.url, Buffer.from([0x16, 3, 1, 0, 4, 1, 2, 3, 4]));
  expect(answer).not.toContain("HTTP");
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
  expect(await presentedName(gateway)).toBe("Moonbridge test one");
  expect(gateway.logEntries().filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test("a replaced certificate is that of new connections, and streams over the old one run to their end", async () => {
  const gateway = await startTls();
  const { server } = gateway.config;
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => stream(gateway.url, "sim:slow=10 sim:repeat=50")),
  );
  for (const name of ["other", "one", "other"]) {
    const tls = await readTlsFiles(pathsOf(name), ".", []);
    await gateway.replaceConfig({ server: { ...server, tls } });
    expect(await presentedName(gateway)).toBe(`Moonbridge test ${name}`);
  }
  for (const { body } of streams) expect(contentOf(parseChunks(await body.text()))).toMatch(/49 50 $/);
});

test("at shutdown a stream may finish, and connections without a handshake do not hold it up", async () => {
  const gateway = await startTls();
  const port = Number(new URL(gateway.url).port);
  const silent = connect(port, "127.0.0.1");
  const halfway = connect(port, "127.0.0.1");
  for (const socket of [silent, halfway]) socket.on("error", () => {});
  halfway.write(Buffer.from([0x16, 3, 1]));
  const { body } = await stream(gateway.url, "sim:slow=20 sim:repeat=30");
  const closed = Promise.all([once(silent, "close"), once(halfway, "close")]);
  const stopped = gateway.stop();
  expect(contentOf(parseChunks(await body.text()))).toContain("30");
  await stopped;
  await closed;
});
