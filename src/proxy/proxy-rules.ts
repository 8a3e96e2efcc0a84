import { isOnThisMachine, NoProxyList } from "./no-proxy-list.js";
import { ProxyServer } from "./proxy-server.js";

/** The proxy for a target; undefined for a direct connection. */
export type ChooseProxy = (target: URL) => ProxyServer | undefined;

/** A proxy and the environment variable that names it. */
export type VariableProxy = { variable: string; proxy: ProxyServer };

/** The value of the setting `proxy` for direct connections. */
export const directSetting = "none";

/** The proxies of the environment: one for `http` targets, one for `https` targets. This machine is reached directly. */
export class ProxyRules {
  readonly http: VariableProxy | undefined;
  readonly https: VariableProxy | undefined;
  readonly #exceptions: NoProxyList;

  constructor(
    { http, https }: { http?: VariableProxy | undefined; https?: VariableProxy | undefined } = {},
    noProxy = "",
  ) {
    this.http = http;
    this.https = https;
    this.#exceptions = new NoProxyList(noProxy);
  }

  /** The proxy for a target of no upstream; undefined for a direct connection. */
  choose(target: URL): ProxyServer | undefined {
    if (isOnThisMachine(target) || this.#exceptions.covers(target)) return undefined;
    return (target.protocol === "https:" ? this.https : this.http)?.proxy;
  }

  /**
   * The choice for an upstream with this valid setting `proxy`, which takes the place of the environment: an address is
   * used for all targets, this machine included. Without a setting that of the environment.
   */
  chooseFor(setting?: string): ChooseProxy {
    if (setting === undefined) return (target) => this.choose(target);
    if (setting === directSetting) return () => undefined;
    const proxy = ProxyServer.parse(setting);
    if (!proxy) throw new Error("A proxy setting was not validated.");
    return () => proxy;
  }
}
