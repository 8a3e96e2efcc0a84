/** The path of a request's URL, without its query, which may hold a secret. */
export function pathOfUrl(url: string): string {
  return url.split("?")[0] ?? "";
}

const maxLoggedLength = 200;
/** Words such as those of the API's own paths: `v1`, `chat`, `count_tokens`. Keys and tokens are longer or hold digits. */
const plainSegment = /^(?:v\d{1,2}|[a-z][a-z_-]{0,23})$/;

/** The path as it may stand in the log: clients put keys into paths too, so that what is no plain word becomes `*`. */
export function maskedPathOfUrl(url: string): string {
  return pathOfUrl(url)
    .slice(0, maxLoggedLength)
    .split("/")
    .map((segment) => (segment === "" || plainSegment.test(segment) ? segment : "*"))
    .join("/");
}
