/** File names may have 200 characters; this is less, so that an extension can be added. */
const maxNameLength = 190;

/**
 * Name of a fetched file: from `content-disposition` (RFC 6266, the extended form first), else the last path segment of
 * its URL, else `file`. Always a safe single path segment (see `sanitizeFileName`).
 */
export function deriveFileName(disposition: string | undefined, url: URL): string {
  const parameters = parseParameters(disposition ?? "");
  const candidates = [
    decodeExtendedValue(parameters.get("filename*") ?? ""),
    percentDecode(parameters.get("filename") ?? ""),
    percentDecode(url.pathname.split("/").findLast((part) => part !== "") ?? ""),
  ];
  return candidates.map(sanitizeFileName).find((name) => name !== "") ?? "file";
}

/** Parameters of a header value by lower-case name; the first of repeated ones counts. */
function parseParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of header.matchAll(
    /(?:^|;)\s*([\w!#$&+.^`|~*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g,
  )) {
    const value = quoted?.replace(/\\(["\\])/g, "$1") ?? plain.trim();
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
  }
  return parameters;
}

/** `UTF-8'en'%e2%82%ac%20rates` (RFC 8187); empty if malformed or in an unknown charset. */
function decodeExtendedValue(value: string): string {
  const [, charset, encoded = ""] = /^([\w-]+)'[^']*'(.*)$/.exec(value) ?? [];
  if (charset === undefined) return "";
  const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_all, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  try {
    return new TextDecoder(charset, { fatal: true }).decode(Buffer.from(bytes, "latin1"));
  } catch {
    return "";
  }
}

/** Many servers percent-encode the plain form too, and browsers decode it. Returns malformed values unchanged. */
function percentDecode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The name as a safe single path segment of at most 190 characters: without characters that could leave a folder, end a
 * header or change the direction of text. Empty if no character is left.
 */
export function sanitizeFileName(name: string): string {
  const [lastSegment = ""] = name.split(/[/\\]/).slice(-1);
  // Control and format characters (such as text direction marks), lone surrogates, line and paragraph separators.
  const visible = lastSegment.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
  return truncateName(visible).replace(/^[.\s]+|[.\s]+$/g, "");
}

/** Shortens the stem; the extension stays. */
function truncateName(name: string): string {
  if (name.length <= maxNameLength) return name;
  const extension = /\.\w{1,10}$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, maxNameLength - extension.length);
  return stem.replace(/\p{Cs}$/u, "") + extension;
}
