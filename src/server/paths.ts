/** The API's own paths, as clients reach them with and without their base URL's `/v1`. */
const apiPaths = /^\/(chat\/completions|models|files|accounts)(\/|$)/;

/**
 * The one path that a request means: clients differ in whether `/v1` belongs to the base URL, double it, end in a
 * slash, or spell it as the original's README did (clients.md row 1, original.md).
 */
export function canonicalUrl(url: string): string {
  const [path = "/", ...query] = url.split("?");
  const bare = path
    .replace(/\/{2,}/g, "/")
    .replace(/(.)\/$/, "$1")
    .replace(/^(\/v1)+(?=\/|$)/, "")
    .replace(/^\/chat\/completitions$/, "/chat/completions");
  const hadVersion = /^\/+v1(\/|$)/.test(path);
  const canonical = apiPaths.test(bare) || hadVersion ? `/v1${bare}` : bare;
  return [canonical === "" ? "/" : canonical, ...query].join("?");
}
