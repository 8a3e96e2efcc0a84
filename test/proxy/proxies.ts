import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";
import { ProxyServer } from "../../src/proxy/proxy-server.js";

/** The password of every test proxy that wants one. It must not appear in any log, error or output. */
export const proxyPassword = "p:CANARY@ss%";

/** `user:password@` as in a URL. */
export const proxyLogin = `me:${encodeURIComponent(proxyPassword)}@`;

type ProxyOptions = {
  /** Wants the user `me` with `proxyPassword`. */
  wantsPassword?: boolean;
  /** The only answer to a request for a tunnel: an HTTP status with headers, or a SOCKS reply. */
  refusal?: { status: number; headers?: Record<string, string> } | { reply: number };
  /** `host:port`, or `host` alone, to the `host:port` that a tunnel to it leads to; others lead where they say. */
  hosts?: Record<string, string>;
};

export type TestProxy = {
  /** `host:port`. */
  host: string;
  /** Each target that a tunnel was asked for, as `host:port`. */
  targets: string[];
  hosts: Record<string, string>;
  /** Cuts all tunnels and refuses further ones. */
  kill(): void;
};

/** The proxy at an address that is known to be valid. */
export function parseProxy(address: string): ProxyServer {
  const proxy = ProxyServer.parse(address);
  if (!proxy) throw new Error(`not a proxy: ${address}`);
  return proxy;
}

/** An HTTP proxy that knows CONNECT alone; `isSecure`: over TLS, with a certificate for 127.0.0.1. */
export async function startHttpProxy(
  { wantsPassword, refusal, hosts = {} }: ProxyOptions = {},
  isSecure = false,
): Promise<TestProxy> {
  const fixture = (kind: string) =>
    readFileSync(new URL(`../fixtures/loopback.test.${kind}`, import.meta.url));
  const server = isSecure
    ? createHttpsServer({ cert: fixture("crt"), key: fixture("key") })
    : createHttpServer();
  const proxy = await listen(server, hosts);
  const credentials = Buffer.from(`me:${proxyPassword}`).toString("base64");
  const statusFor = (request: IncomingMessage) => {
    if (refusal && "status" in refusal) return refusal.status;
    const hasPassword = request.headers["proxy-authorization"] === `Basic ${credentials}`;
    return !wantsPassword || hasPassword ? 200 : 407;
  };
  server.on("connect", (request: IncomingMessage, client: Duplex) => {
    client.on("error", () => {});
    proxy.targets.push(request.url ?? "");
    const status = statusFor(request);
    const headers = refusal && "status" in refusal ? Object.entries(refusal.headers ?? {}) : [];
    const head = `HTTP/1.1 ${status} -\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    if (status !== 200) return void client.end(head);
    relay(client, proxy, request.url ?? "", (isOpen) =>
      isOpen ? client.write(head) : client.end("HTTP/1.1 502 -\r\n\r\n"),
    );
  });
  return proxy;
}

/** A SOCKS5 proxy (RFC 1928) with passwords (RFC 1929). */
export async function startSocksProxy({
  wantsPassword,
  refusal,
  hosts = {},
}: ProxyOptions = {}): Promise<TestProxy> {
  const server = createServer((client) => {
    const reader = new ByteReader(client.on("error", () => {}));
    serveSocks(reader, client).catch(() => client.destroy());
  });
  const proxy = await listen(server, hosts);

  async function serveSocks(reader: ByteReader, client: Socket): Promise<void> {
    const [, methodCount = 0] = await reader.take(2);
    const methods = await reader.take(methodCount);
    const method = wantsPassword ? 2 : 0;
    if (!methods.includes(method)) return void client.end(Buffer.from([5, 0xff]));
    client.write(Buffer.from([5, method]));
    if (wantsPassword) {
      await reader.take(1);
      const [user, password] = [await reader.takeText(), await reader.takeText()];
      const isRight = user === "me" && password === proxyPassword;
      if (!isRight) return void client.end(Buffer.from([1, 1]));
      client.write(Buffer.from([1, 0]));
    }
    const [, , , type] = await reader.take(4);
    const host = type === 3 ? await reader.takeText() : [...(await reader.take(4))].join(".");
    const port = (await reader.take(2)).readUInt16BE();
    proxy.targets.push(`${host}:${port}`);
    const reply = (code: number) => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
    if (refusal && "reply" in refusal) return void client.end(reply(refusal.reply));
    reader.stop();
    relay(client, proxy, `${host}:${port}`, (isOpen) =>
      isOpen ? client.write(reply(0)) : client.end(reply(5)),
    );
  }
  return proxy;
}

/** Connects to the target and passes bytes on in both directions. `onResult` answers the client first. */
function relay(
  client: Duplex,
  { hosts }: TestProxy,
  target: string,
  onResult: (isOpen: boolean) => void,
): void {
  const mapped = hosts[target] ?? hosts[target.replace(/:\d+$/, "")] ?? target;
  const { hostname, port } = new URL(`tcp://${mapped}`);
  const upstream = connect(Number(port), hostname.replace(/[[\]]/g, ""));
  upstream.once("connect", () => {
    onResult(true);
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  upstream.once("error", () => {
    if (upstream.connecting || upstream.pending) onResult(false);
  });
  upstream.on("close", () => client.destroy());
  client.on("close", () => upstream.destroy());
}

async function listen(server: Server, hosts: Record<string, string>): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(kill);
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, targets: [], hosts, kill };
}

/** Reads a socket byte by byte count. */
class ByteReader {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket.pause();
  }

  async take(count: number): Promise<Buffer> {
    for (;;) {
      const bytes: Buffer | null = count === 0 ? Buffer.alloc(0) : this.#socket.read(count);
      if (bytes) return bytes;
      if (this.#socket.destroyed) throw new Error("closed");
      await new Promise((resolve) => {
        this.#socket.once("readable", resolve).once("close", resolve);
      });
    }
  }

  async takeText(): Promise<string> {
    const [length = 0] = await this.take(1);
    return (await this.take(length)).toString();
  }

  /** Leaves the rest to `pipe`. */
  stop(): void {
    this.#socket.removeAllListeners("readable");
  }
}
