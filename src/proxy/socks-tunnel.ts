import { connect, type Socket } from "node:net";
import { SocksClient, SocksClientError } from "socks";
import { networkCauseOf } from "../core/network-failure.js";
import { errorCode } from "../lib/error-code.js";
import { ProxyError, type ProxyFailure } from "./proxy-error.js";
import type { ProxyServer } from "./proxy-server.js";
import type { TunnelTarget } from "./tunnel-target.js";

/** Opens a tunnel through a SOCKS5 proxy (RFC 1928, 1929). `signal`: its deadline. Throws only ProxyError. */
export async function openSocksTunnel(
  proxy: ProxyServer,
  target: TunnelTarget,
  signal: AbortSignal,
): Promise<Socket> {
  // A longer name does not fit into the protocol.
  if (target.host.length > 255) throw new ProxyError(proxy, target.name, { kind: "name" }, "ENOTFOUND");
  const socket = await connectTo(proxy, target, signal);
  const giveUp = () => socket.destroy();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const credentials = proxy.revealCredentials();
    await SocksClient.createConnection({
      command: "connect",
      proxy: {
        ...{ host: proxy.hostname, port: proxy.port, type: 5 },
        ...(credentials ? { userId: credentials.user, password: credentials.password } : {}),
      },
      destination: { host: target.host, port: target.port },
      existing_socket: socket,
    });
    return socket;
  } catch (error) {
    socket.on("error", () => {}).destroy();
    if (signal.aborted) throw new ProxyError(proxy, target.name, { kind: "silent" }, "ETIMEDOUT");
    const message = error instanceof SocksClientError ? error.message : "";
    const { code, failure } = explainMessage(message);
    throw new ProxyError(proxy, target.name, failure, code);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function connectTo(proxy: ProxyServer, { name }: TunnelTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: proxy.hostname, port: proxy.port, noDelay: true });
    const giveUp = () => socket.destroy(new Error("No connection in time."));
    signal.addEventListener("abort", giveUp, { once: true });
    const onError = (error: Error) => {
      signal.removeEventListener("abort", giveUp);
      const code = signal.aborted ? "ETIMEDOUT" : (errorCode(error) ?? error.name);
      const failure = { kind: "unreachable", cause: networkCauseOf(code) ?? "connection" } as const;
      reject(new ProxyError(proxy, name, failure, code));
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      signal.removeEventListener("abort", giveUp);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}

/**
 * What a proxy's refusal means. `socks` tells them apart by its messages only; it quotes the reply of the proxy by name,
 * such as `Socks5 proxy rejected connection - HostUnreachable`.
 */
const failuresByMessage: readonly [RegExp, ProxyFailure["kind"] & ("credentials" | "foreign" | "closed")][] =
  [
    [/authentication failed|authentication type/i, "credentials"],
    [/^Socket closed|^read |^write |ECONNRESET|EPIPE/, "closed"],
    [/invalid|received/i, "foreign"],
  ];

function explainMessage(message: string): { failure: ProxyFailure; code: string } {
  const reply = /rejected connection - (\w+)/.exec(message)?.[1];
  if (reply !== undefined)
    return { failure: { kind: reply === "NotAllowed" ? "forbidden" : "no-route" }, code: `SOCKS5 ${reply}` };
  const kind = failuresByMessage.find(([pattern]) => pattern.test(message))?.[1] ?? "closed";
  return { failure: { kind }, code: kind === "credentials" ? "SOCKS5 authentication" : "SOCKS5" };
}
