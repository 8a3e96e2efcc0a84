import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, isIPv6, type Socket } from "node:net";
import { networkCauseOf } from "../core/network-failure.js";
import { errorCode } from "../lib/error-code.js";
import { ProxyError, type ProxyFailure } from "./proxy-error.js";
import type { ProxyServer } from "./proxy-server.js";
import type { TunnelTarget } from "./tunnel-target.js";

/** Opens a tunnel through an HTTP proxy with CONNECT (RFC 9110 §9.3.6). `signal`: its deadline. Throws only ProxyError. */
export function openHttpTunnel(
  proxy: ProxyServer,
  { host, port, name }: TunnelTarget,
  signal: AbortSignal,
): Promise<Socket> {
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const send = proxy.scheme === "https" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const request = send({
      ...{ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: authority, agent: false },
      // Without it Node would take the name for TLS from the Host header, which names the target.
      servername: isIP(proxy.hostname) === 0 ? proxy.hostname : "",
      headers: { host: authority, ...authorization(proxy) },
    });
    const giveUp = () => request.destroy(new Error("No tunnel in time."));
    signal.addEventListener("abort", giveUp, { once: true });
    request.once("socket", (socket) => {
      socket.once(proxy.scheme === "https" ? "secureConnect" : "connect", () => {
        isConnected = true;
      });
    });
    request.once("connect", (response, socket: Socket, head) => {
      signal.removeEventListener("abort", giveUp);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      // Nothing more is read of it.
      socket.on("error", () => {}).destroy();
      reject(new ProxyError(proxy, name, refusalOf(response), `HTTP ${status}`));
    });
    request.on("error", (error) => {
      signal.removeEventListener("abort", giveUp);
      const code = signal.aborted ? "ETIMEDOUT" : (errorCode(error) ?? error.name);
      reject(new ProxyError(proxy, name, transportFailure(code, isConnected, signal), code));
    });
    request.end();
  });
}

function authorization(proxy: ProxyServer): Record<string, string> {
  const credentials = proxy.revealCredentials();
  if (!credentials) return {};
  const encoded = Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
  return { "proxy-authorization": `Basic ${encoded}` };
}

function refusalOf({ statusCode = 0, headers }: IncomingMessage): ProxyFailure {
  if (statusCode === 407) return { kind: "credentials" };
  // Squid says by a header of its own why it has no connection.
  if (String(headers["x-squid-error"]).startsWith("ERR_DNS_FAIL")) return { kind: "name" };
  if (statusCode >= 500) return { kind: "no-route" };
  return { kind: [400, 404, 405].includes(statusCode) || statusCode < 400 ? "foreign" : "forbidden" };
}

function transportFailure(code: string, isConnected: boolean, signal: AbortSignal): ProxyFailure {
  if (isConnected) {
    if (signal.aborted) return { kind: "silent" };
    return { kind: code.startsWith("HPE_") ? "foreign" : "closed" };
  }
  return {
    kind: "unreachable",
    cause: networkCauseOf(code) ?? (code === "ECONNRESET" ? "tls" : "connection"),
  };
}
