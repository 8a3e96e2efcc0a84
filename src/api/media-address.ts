import type { MediaSource } from "../core/types.js";
import { isObject } from "../lib/json.js";
import { invalidParameter } from "./invalid-parameter.js";

/** What base64 of a known file format begins with. JPEG's looks like a path otherwise. */
const base64Beginnings: [string, string][] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["PHN2Zy", "image/svg+xml"],
  ["JVBERi0", "application/pdf"],
];

/** Ids of files are shorter; longer texts of these characters are base64. */
const maxIdLength = 128;
const idPattern = /^[\w.:-]+$/;
/** Checked at the beginning of a text only: its whole length may be many megabytes. */
const base64Pattern = /^[\w+/-]+={0,2}$/;
const checkedLength = 1_000;
/** Characters of a data URL before its data. */
const maxHeaderLength = 300;

const remedy =
  "send the picture or file itself as a data URL, a public http(s) address or the id of an uploaded file";

/**
 * The address of a picture or file as a link, a base64 data URL or a file id, from any form that clients send: base64
 * alone, `data:` twice, percent-encoded data URLs, base64 with line breaks. Throws `invalid_request` with `path` for an
 * address that only the client's own computer or browser understands.
 */
export function toStandardAddress(sent: string, path: string): string {
  const address = sent.trim();
  const beginning = address.slice(0, maxHeaderLength);
  if (/^https?:\/\//i.test(address)) return address;
  if (/^data:/i.test(address)) return toBase64DataUrl(address, path);
  if (/^(;?base64,|[\w.+-]+\/[\w.+-]+;base64,)/i.test(beginning))
    return toBase64DataUrl(`data:${address.startsWith("base64") ? ";" : ""}${address}`, path);
  const mediaType = mediaTypeOf(address);
  if (mediaType !== undefined && address.length > maxIdLength / 4)
    return `data:${mediaType};base64,${removeLineBreaks(address)}`;
  if (/^ms:\/\//i.test(address)) return address;
  const problem = describeForeignAddress(address);
  if (problem !== undefined) throw invalidParameter(path, `${problem}; ${remedy}`);
  if (address.length <= maxIdLength && idPattern.test(address)) return address;
  const base64 = removeLineBreaks(address);
  if (base64.length > maxIdLength && base64Pattern.test(base64.slice(0, checkedLength)))
    return `data:application/octet-stream;base64,${base64}`;
  throw invalidParameter(path, `this is no address; ${remedy}`);
}

/** Parses the standard form (`toStandardAddress`) of a link, a data URL or the id of an uploaded file, or `{url}` with it. */
export function readMediaSource(value: unknown, path: string): { source: MediaSource; mediaType?: string } {
  const address = isObject(value) ? value.url : value;
  if (typeof address !== "string" || address === "") {
    throw invalidParameter(path, "expected an address, a data URL or a file id");
  }
  if (/^data:/i.test(address)) {
    const head = address.slice(0, address.indexOf(",") + 1);
    const mediaType = /^data:([\w.+-]+\/[\w.+-]+)/i.exec(head)?.[1]?.toLowerCase();
    const source: MediaSource = { kind: "bytes", base64: address.slice(head.length) };
    return { source, ...(mediaType === undefined ? {} : { mediaType }) };
  }
  if (/^https?:/i.test(address)) return { source: { kind: "link", url: address } };
  return { source: { kind: "file-id", id: address.replace(/^ms:\/\//, "") } };
}

/** What an address is that Moonbridge cannot read; undefined if it is none of these. */
function describeForeignAddress(address: string): string | undefined {
  if (/^blob:/i.test(address)) return "a blob: address exists only in the browser that made it";
  if (/^(file:|[a-z]:[\\/]|\\\\|~\/|\.{1,2}\/|\/)/i.test(address))
    return "this is the path of a file on the client's computer";
  const scheme = /^([a-z][a-z0-9+.-]{1,30}):\/?\/?/i.exec(address)?.[1];
  return scheme === undefined || (!address.includes("//") && idPattern.test(address))
    ? undefined
    : `addresses with ${scheme.toLowerCase()}: cannot be read`;
}

/** The data URL with its content in base64 and one prefix. */
function toBase64DataUrl(sent: string, path: string): string {
  let address = sent;
  // Some clients put a prefix before what already is a data URL.
  for (let inner = innerDataUrl(address); inner !== undefined; inner = innerDataUrl(address)) address = inner;
  const comma = address.slice(0, maxHeaderLength).indexOf(",");
  if (comma < 0) throw invalidParameter(path, `this data URL has no comma before its data; ${remedy}`);
  const header = address.slice("data:".length, comma);
  const mediaType = /^[\w.+-]+\/[\w.+-]+/.exec(header)?.[0].toLowerCase();
  const data = address.slice(comma + 1);
  if (!/;\s*base64\s*$/i.test(header)) {
    const base64 = Buffer.from(decodePercent(data, path)).toString("base64");
    return `data:${mediaType ?? "text/plain"};base64,${base64}`;
  }
  const base64 = removeLineBreaks(
    /%[0-9a-f]{2}/i.test(data.slice(0, checkedLength)) ? decodePercent(data, path) : data,
  );
  if (base64 !== "" && !base64Pattern.test(base64.slice(0, checkedLength)))
    throw invalidParameter(path, `the data of this data URL is not base64; ${remedy}`);
  const isStandard = /;base64$/i.test(header) && mediaType === header.split(";", 1)[0];
  if (isStandard && base64 === data && mediaType !== "image/jpg") return address;
  const type = mediaType ?? mediaTypeOf(base64) ?? "";
  return `data:${type.replace("image/jpg", "image/jpeg")};base64,${base64}`;
}

/** The media type of a known file format by the beginning of its base64. */
function mediaTypeOf(base64: string): string | undefined {
  return base64Beginnings.find(([beginning]) => base64.startsWith(beginning))?.[1];
}

function innerDataUrl(address: string): string | undefined {
  const prefix = /^data:[^,]*,\s*(?=data:)/i.exec(address.slice(0, maxHeaderLength))?.[0];
  return prefix === undefined ? undefined : address.slice(prefix.length);
}

function decodePercent(data: string, path: string): string {
  try {
    return decodeURIComponent(data);
  } catch {
    throw invalidParameter(path, `the data of this data URL is not percent-encoded correctly; ${remedy}`);
  }
}

/** Base64 in lines has them of 64 or 76 characters each. */
function removeLineBreaks(base64: string): string {
  return /\s/.test(base64.slice(0, checkedLength)) ? base64.replace(/\s+/g, "") : base64;
}
