import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";
import { abortable } from "../lib/abortable.js";
import { openHttpTunnel } from "./http-tunnel.js";
import type { ProxyServer } from "./proxy-server.js";
import { openSocksTunnel } from "./socks-tunnel.js";

/**
 * Opens a TCP connection to the host of `target` through the proxy. `address`: what the proxy is asked for in place of
 * the host's name. Throws ProxyError, or the error of a look-up on this machine.
 */
export async function openTunnel(
  proxy: ProxyServer,
  target: URL,
  deadline: AbortSignal,
  address?: string,
): Promise<Socket> {
  const name = target.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(target.port) || (target.protocol === "https:" ? 443 : 80);
  const host = address ?? (await hostForProxy(proxy, name, deadline));
  const open = isSocks(proxy) ? openSocksTunnel : openHttpTunnel;
  return open(proxy, { host, port, name }, deadline);
}

/** The address of a host that a proxy is asked for: IPv4 if there is one, since many proxies have no IPv6. */
export function preferredAddress(addresses: readonly LookupAddress[]): string | undefined {
  return (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address;
}

function isSocks({ scheme }: ProxyServer): boolean {
  return scheme === "socks5" || scheme === "socks5h";
}

/** With `socks5` names are looked up here, as curl does; all other proxies look them up. */
async function hostForProxy({ scheme }: ProxyServer, name: string, deadline: AbortSignal): Promise<string> {
  if (scheme !== "socks5" || isIP(name) !== 0) return name;
  return preferredAddress(await untilDeadline(lookup(name, { all: true }), deadline)) ?? name;
}

/** `work`, or an error with the code ETIMEDOUT at the deadline. */
export async function untilDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  try {
    return await abortable(work, deadline);
  } catch (error) {
    throw deadline.aborted ? Object.assign(new Error("No answer in time."), { code: "ETIMEDOUT" }) : error;
  }
}
