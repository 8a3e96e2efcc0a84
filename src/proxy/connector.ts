import { isIPv6 } from "node:net";
import type { buildConnector } from "undici";
import type { ChooseProxy } from "./proxy-rules.js";
import { openTunnel, untilDeadline } from "./tunnel.js";

export type ProxyConnectorOptions = {
  chooseProxy: ChooseProxy;
  /** Milliseconds for the tunnel; TLS with the target comes after it. */
  timeout: number;
  /** The address of a name that the proxy is asked for in place of the name. May throw. */
  resolveTarget?(hostname: string): Promise<string>;
};

/**
 * Connects through the proxy that `chooseProxy` gives, and with `direct` alone where it gives none. TLS is made by
 * `direct` with the target itself, so that its name and certificate are checked as without a proxy.
 */
export function proxyConnector(
  direct: buildConnector.connector,
  { chooseProxy, timeout, resolveTarget }: ProxyConnectorOptions,
): buildConnector.connector {
  const connectThroughTunnel = async (target: URL) => {
    const deadline = AbortSignal.timeout(timeout);
    const hostname = target.hostname.replace(/^\[(.*)\]$/, "$1");
    const address = resolveTarget && (await untilDeadline(resolveTarget(hostname), deadline));
    // An address that NO_PROXY names, or of this machine, is connected to directly under any name.
    const proxy = chooseProxy(address === undefined ? target : withHost(target, address));
    return proxy && openTunnel(proxy, target, deadline, address);
  };
  return (options, callback) => {
    const target = targetOf(options);
    if (!chooseProxy(target)) return direct(options, callback);
    connectThroughTunnel(target).then(
      (socket) => {
        if (!socket) return direct(options, callback);
        if (options.protocol === "https:") return direct({ ...options, httpSocket: socket }, callback);
        callback(null, socket.setNoDelay(true).setKeepAlive(true, keepAliveDelay));
      },
      (error: Error) => callback(error, null),
    );
  };
}

/** Milliseconds, as undici sets it for connections of its own. */
const keepAliveDelay = 60_000;

function targetOf({ protocol, hostname, port }: buildConnector.Options): URL {
  const url = new URL(`${protocol}//${isIPv6(hostname) ? `[${hostname}]` : hostname}`);
  url.port = port;
  return url;
}

function withHost(target: URL, address: string): URL {
  const url = new URL(target);
  url.hostname = isIPv6(address) ? `[${address}]` : address;
  return url;
}
