/** API paths without `/v1`; clients call them with and without it. */
const apiPaths = /^\/(chat\/completions|responses|messages|models|files|accounts)(\/|$)/;

/** Stands before the path in the absolute form, which clients send that take Moonbridge for their proxy (RFC 9112 §3.2.2). */
const schemeAndHost = /^https?:\/\/[^/?]*/i;

/**
 * Maps the path variants that clients use to one route: `/v1` missing or doubled, repeated or trailing slashes, and the
 * spelling `completitions` of the original's README (clients.md §7 row 1, original.md). The query is unchanged.
 */
export function canonicalUrl(url: string): string {
  const [given = "/", ...query] = url.replace(schemeAndHost, "").split("?");
  const path = escapeUndecodable(given);
  const bare = path
    .replace(/\/{2,}/g, "/")
    .replace(/(.)\/$/, "$1")
    .replace(/^(\/v1)+(?=\/|$)/, "")
    .replace(/^\/chat\/completitions$/, "/chat/completions");
  const hadVersion = /^\/+v1(\/|$)/.test(path);
  const canonical = apiPaths.test(bare) || hadVersion ? `/v1${bare}` : bare;
  return [canonical === "" ? "/" : canonical, ...query].join("?");
}

/** Escapes `%` in an undecodable path; the router would otherwise answer with an error page that quotes the path. */
function escapeUndecodable(path: string): string {
  try {
    decodeURIComponent(path);
    return path;
  } catch {
    return path.replaceAll("%", "%25");
  }
}
