import { Agent, buildConnector } from "undici";
import { proxyConnector } from "./connector.js";
import type { ChooseProxy } from "./proxy-rules.js";

/** Connections to any host, each through the proxy that `chooseProxy` gives. `timeout`: milliseconds to connect. */
export function createProxyAgent(
  chooseProxy: ChooseProxy,
  { timeout, ...options }: Omit<Agent.Options, "connect"> & { timeout: number },
): Agent {
  const connect = proxyConnector(buildConnector({ timeout }), { chooseProxy, timeout });
  return new Agent({ ...options, connect });
}
