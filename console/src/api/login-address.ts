/**
 * What the address says of a login: the one-time code that the server printed (`#code=…`), or why the login by the issuer has
 * failed (`#login-error=…`, an error code). Taken out of the address at once, so that it stays in no history and no copied link.
 */
export type LoginAddress = { code?: string; issuerError?: string };

export function takeLoginAddress(): LoginAddress {
  const [, name, value = ""] = /^#(code|login-error)=([^&]+)/.exec(location.hash) ?? [];
  if (name === undefined) return {};
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  const text = decodeURIComponent(value);
  return name === "code" ? { code: text } : { issuerError: text };
}
