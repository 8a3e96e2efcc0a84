/** Room for an extension is left below the 200 that a file's name may have. */
const longestName = 190;

/**
 * What a fetched file is called: as its `content-disposition` says (RFC 6266, the extended form first), else as
 * the last part of its address; `file` where neither gives a name. One plain part of a path, with nothing in it
 * that could lead out of a folder, end a header or turn the direction of the text.
 */
export function fileName(disposition: string | undefined, url: URL): string {
  const parameters = parametersOf(disposition ?? "");
  const candidates = [
    extended(parameters.get("filename*") ?? ""),
    unescaped(parameters.get("filename") ?? ""),
    unescaped(url.pathname.split("/").findLast((part) => part !== "") ?? ""),
  ];
  return candidates.map(safeName).find((name) => name !== "") ?? "file";
}

/** The parameters of a header's value, by lower-case name; of a repeated one the first counts. */
function parametersOf(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of header.matchAll(
    /(?:^|;)\s*([\w!#$&+.^`|~*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g,
  )) {
    const value = quoted?.replace(/\\(["\\])/g, "$1") ?? plain.trim();
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
  }
  return parameters;
}

/** `UTF-8'en'%e2%82%ac%20rates` (RFC 8187); empty where it is malformed or in a charset nobody knows. */
function extended(value: string): string {
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

/** Many servers percent-encode a plain file name too, and browsers decode it. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A name that is one plain part of a path, without what has no place in one; empty where nothing is left. */
export function safeName(name: string): string {
  const [last = ""] = name.split(/[/\\]/).slice(-1);
  // Controls, formats (among them the marks that turn text round), lone surrogates, separators of lines.
  const visible = last.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
  return shortened(visible).replace(/^[.\s]+|[.\s]+$/g, "");
}

/** Cut in the middle: the extension stays. */
function shortened(name: string): string {
  if (name.length <= longestName) return name;
  const extension = /\.\w{1,10}$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, longestName - extension.length);
  return stem.replace(/\p{Cs}$/u, "") + extension;
}
