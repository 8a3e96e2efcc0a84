import { apiKey, type Gateway } from "../../gateway.js";

/** Sends a request of an administrator to `/v1/admin`; `body` is sent as JSON. */
export function requestAdmin(
  gateway: Gateway,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${apiKey}` },
): Promise<Response> {
  return fetch(`${gateway.url}/v1/admin${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The answer's JSON. Throws unless the status is 200. */
export async function adminJson(
  gateway: Gateway,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await requestAdmin(gateway, method, path, body);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** The tokens that the configured account of a gateway was started with. */
export function tokensOf({ config }: Gateway): string[] {
  const texts = config.upstreams.flatMap((upstream) => Object.entries(upstream));
  const tokens = texts.flatMap(([name, value]) =>
    /token/i.test(name) && typeof value === "string" ? [value] : [],
  );
  if (tokens.length === 0) throw new Error("The configuration has no tokens.");
  return tokens;
}
