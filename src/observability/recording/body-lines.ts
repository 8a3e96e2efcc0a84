import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { limits } from "../../core/limits.js";
import type { Redactor } from "./redactor.js";

type Payload = { json: unknown } | { text: string };

/** One line of a recorded body, in the format of docs/guide/recording.md, “File format”. */
export type BodyLine = Payload | { data: unknown } | { bytes: number } | EnvelopeLine;
type EnvelopeLine = { flags: number; length?: number } & (Payload | { bytes: number });

/** Flag bits and header of an envelope: kimi-web.md §2.1. */
const compressedFlag = 0x01;
const headerLength = 5;

/** The redacted lines of a body, in the form that its content type has. A body that is no UTF-8 becomes its length. */
export function bodyLines(body: Buffer, contentType: string, redactor: Redactor): BodyLine[] {
  if (contentType.startsWith("application/connect+json")) return envelopeLines(body, redactor);
  if (body.length === 0) return [];
  if (!isUtf8(body)) return [{ bytes: body.length }];
  const text = body.toString();
  return contentType.startsWith("text/event-stream")
    ? eventLines(text, redactor)
    : [toPayload(text, redactor)];
}

/** One line per envelope; a truncated one carries its announced `length`. */
function envelopeLines(body: Buffer, redactor: Redactor): BodyLine[] {
  const lines: BodyLine[] = [];
  let offset = 0;
  while (body.length - offset >= headerLength) {
    const flags = body.readUInt8(offset);
    const length = body.readUInt32BE(offset + 1);
    const bytes = body.subarray(offset + headerLength, offset + headerLength + length);
    const cut = bytes.length < length ? { length } : {};
    lines.push({ flags, ...cut, ...envelopePayload(bytes, flags, redactor) });
    offset += headerLength + bytes.length;
  }
  return lines;
}

function envelopePayload(bytes: Buffer, flags: number, redactor: Redactor): Payload | { bytes: number } {
  const unpacked = (flags & compressedFlag) === 0 ? bytes : decompress(bytes);
  return unpacked ? toPayload(unpacked.toString(), redactor) : { bytes: bytes.length };
}

function decompress(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.envelope });
  } catch {
    return undefined;
  }
}

/** One line per server-sent event: `data` where it has one JSON data field and nothing else, otherwise its text. */
function eventLines(text: string, redactor: Redactor): BodyLine[] {
  return text.split(/(?<=\n\r?\n)/).map((event) => {
    const data = parseJson(/^data: ([^\r\n]*)\n\n$/.exec(event)?.[1] ?? "");
    return data === undefined ? { text: eventText(event, redactor) } : { data: redactor.json(data) };
  });
}

/** Redacts everything but the field names (`data: …`). */
function eventText(event: string, redactor: Redactor): string {
  const lines = event.split(/(?<=\n)/).map((line) => {
    const field = /^(?:data|event|id|retry)?: ?/.exec(line)?.[0] ?? "";
    return field + redactor.text(line.slice(field.length));
  });
  return lines.join("");
}

function toPayload(text: string, redactor: Redactor): Payload {
  const json = parseJson(text);
  return json === undefined ? { text: redactor.text(text) } : { json: redactor.json(json) };
}

/** The JSON object or array; undefined for anything else, since a bare JSON scalar is recorded as text. */
function parseJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
