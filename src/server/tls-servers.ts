import type { RequestListener } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import type { Socket } from "node:net";
import type { TlsFiles } from "../config/tls.js";
import { limits } from "../core/limits.js";

/** The first byte of every TLS connection: a record of the handshake (RFC 8446 §5.1). */
const handshakeRecord = 0x16;

/** Answers a connection that speaks HTTP without TLS; `packet`: its first bytes. */
export type PlainHttpListener = (socket: Socket, packet: Buffer) => void;

/** HTTPS servers with one certificate, which can be replaced: open connections keep the one that they began with. */
export class TlsServers {
  #files: TlsFiles;
  readonly #onPlainHttp: PlainHttpListener;
  readonly #servers = new Set<Server>();
  /** The open connections, also those without a finished handshake, which an HTTP server does not know. */
  readonly #sockets = new Set<Socket>();

  constructor(files: TlsFiles, onPlainHttp: PlainHttpListener) {
    this.#files = files;
    this.#onPlainHttp = onPlainHttp;
  }

  create(options: ServerOptions, onRequest: RequestListener): Server {
    const server = createServer(
      {
        ...options,
        ...secureContext(this.#files),
        minVersion: "TLSv1.2",
        handshakeTimeout: limits.tlsHandshake,
      },
      onRequest,
    );
    const handshakes = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) =>
      this.#waitForFirstByte(socket, () => {
        for (const startHandshake of handshakes) Reflect.apply(startHandshake, server, [socket]);
      }),
    );
    // By default it is a `clientError`, whose answer nobody could read.
    server.removeAllListeners("tlsClientError");
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
    return server;
  }

  /** From now on connections get this certificate. */
  replaceFiles(files: TlsFiles): void {
    this.#files = files;
    for (const server of this.#servers) server.setSecureContext(secureContext(files));
  }

  closeAllConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #waitForFirstByte(socket: Socket, startHandshake: () => void): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const timer = setTimeout(() => socket.destroy(), limits.tlsHandshake);
    socket.once("close", () => clearTimeout(timer));
    socket.on("error", () => {});
    socket.once("data", (packet: Buffer) => {
      clearTimeout(timer);
      if (packet[0] !== handshakeRecord) {
        this.#onPlainHttp(socket, packet);
        return;
      }
      socket.pause();
      socket.unshift(packet);
      startHandshake();
    });
  }
}

function secureContext({ certificate, key }: TlsFiles) {
  return { cert: certificate.text, key: key.text };
}
