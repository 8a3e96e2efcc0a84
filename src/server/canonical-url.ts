/** The API's own paths, as clients reach them with and without their base URL's `/v1`. */
const apiPaths = /^\/(chat\/completions|models|files|accounts)(\/|$)/;

/**
 * The one path that a request means: clients differ in whether `/v1` belongs to the base URL, double it, end in a
 * slash, or spell it as the original's README did (clients.md row 1, original.md).
 */
export function canonicalUrl(url: string): string {
  const [given = "/", ...query] = url.split("?");
  const path = decodable(given);
  const bare = path
    .replace(/\/{2,}/g, "/")
    .replace(/(.)\/$/, "$1")
    .replace(/^(\/v1)+(?=\/|$)/, "")
    .replace(/^\/chat\/completitions$/, "/chat/completions");
  const hadVersion = /^\/+v1(\/|$)/.test(path);
  const canonical = apiPaths.test(bare) || hadVersion ? `/v1${bare}` : bare;
  return [canonical === "" ? "/" : canonical, ...query].join("?");
}

/** What cannot be decoded is taken by its letters: the router would answer with a page of its own that quotes it all. */
function decodable(path: string): string {
  try {
    decodeURIComponent(path);
    return path;
  } catch {
    return path.replaceAll("%", "%25");
  }
}
