import { directSetting, type ProxyRules } from "./proxy-rules.js";

/** The proxies in use, on one line and without passwords; undefined if there are none. */
export function describeProxies(
  rules: ProxyRules,
  upstreams: readonly { name: string; proxy?: string }[],
): string | undefined {
  const { http, https } = rules;
  const ofEnvironment = [
    ...(https ? [`${https.proxy.label} (${https.variable})`] : []),
    ...(http && http.variable !== https?.variable ? [`${http.proxy.label} (${http.variable}) for http`] : []),
  ];
  const ofUpstreams = upstreams.flatMap(({ name, proxy }) => {
    if (proxy === undefined) return [];
    if (proxy === directSetting) return ofEnvironment.length > 0 ? [`none for ${name}`] : [];
    return [`${rules.chooseFor(proxy)(anyTarget)?.label} for ${name}`];
  });
  const all = [...ofEnvironment, ...ofUpstreams];
  return all.length > 0 ? all.join(", ") : undefined;
}

/** The proxy of a setting does not depend on the target. */
const anyTarget = new URL("https://www.kimi.com");
