import { configMessages } from "../i18n/config-messages.js";
import { untranslated } from "../i18n/text.js";
import type { Environment } from "../lib/environment-variables.js";
import { ProxyRules, type VariableProxy } from "../proxy/proxy-rules.js";
import { ProxyServer } from "../proxy/proxy-server.js";
import { ConfigError } from "./validate.js";

/**
 * The proxies of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. As with curl, the lower-case name of a variable has
 * precedence, ALL_PROXY stands in for the other two, and an address without a scheme is that of an HTTP proxy. Throws
 * ConfigError, which quotes no part of an address, since it may have a password.
 */
export function readProxyVariables(environment: Environment): ProxyRules {
  const all = readProxy("ALL_PROXY", environment);
  return new ProxyRules(
    {
      http: readProxy("HTTP_PROXY", environment) ?? all,
      https: readProxy("HTTPS_PROXY", environment) ?? all,
    },
    findVariable("NO_PROXY", environment)?.value,
  );
}

function readProxy(name: string, environment: Environment): VariableProxy | undefined {
  const found = findVariable(name, environment);
  if (!found) return undefined;
  const proxy = ProxyServer.parse(found.value.includes("://") ? found.value : `http://${found.value}`);
  if (!proxy)
    throw new ConfigError(
      configMessages.expected(
        untranslated(found.variable),
        "an http, https, socks5 or socks5h address of a proxy",
        "fine",
      ),
    );
  return { variable: found.variable, proxy };
}

function findVariable(
  name: string,
  environment: Environment,
): { variable: string; value: string } | undefined {
  for (const variable of [name.toLowerCase(), name]) {
    const value = environment[variable]?.trim() ?? "";
    if (value !== "") return { variable, value };
  }
  return undefined;
}
