import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { limits } from "../../core/limits.js";
import type { Redactor } from "./redactor.js";

type Payload = { json: unknown } | { text: string };

/** One line of a recorded body; the form is that of docs/simulator.md, “Recording”. */
export type BodyLine = Payload | { data: unknown } | { bytes: number } | FrameLine;
type FrameLine = { flags: number; length?: number } & (Payload | { bytes: number });

/** Flag bits and header of an envelope: kimi-web.md §2.1. */
const compressed = 0x01;
const headerLength = 5;

export function bodyLines(body: Buffer, contentType: string, redactor: Redactor): BodyLine[] {
  if (contentType.startsWith("application/connect+json")) return frameLines(body, redactor);
  if (body.length === 0) return [];
  if (!isUtf8(body)) return [{ bytes: body.length }];
  const text = body.toString();
  return contentType.startsWith("text/event-stream") ? eventLines(text, redactor) : [payload(text, redactor)];
}

/** Every envelope is a line, and so is what came of one that was cut short. */
function frameLines(body: Buffer, redactor: Redactor): BodyLine[] {
  const lines: BodyLine[] = [];
  let at = 0;
  while (body.length - at >= headerLength) {
    const flags = body.readUInt8(at);
    const length = body.readUInt32BE(at + 1);
    const bytes = body.subarray(at + headerLength, at + headerLength + length);
    const cut = bytes.length < length ? { length } : {};
    lines.push({ flags, ...cut, ...framePayload(bytes, flags, redactor) });
    at += headerLength + bytes.length;
  }
  return lines;
}

function framePayload(bytes: Buffer, flags: number, redactor: Redactor): Payload | { bytes: number } {
  const unpacked = (flags & compressed) === 0 ? bytes : unpack(bytes);
  return unpacked ? payload(unpacked.toString(), redactor) : { bytes: bytes.length };
}

function unpack(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.frame });
  } catch {
    return undefined;
  }
}

/** Every event is a line: as its data where those are JSON and all there is to it, else as it stands. */
function eventLines(text: string, redactor: Redactor): BodyLine[] {
  return text.split(/(?<=\n\r?\n)/).map((event) => {
    const data = parse(/^data: ([^\r\n]*)\n\n$/.exec(event)?.[1] ?? "");
    return data === undefined ? { text: eventText(event, redactor) } : { data: redactor.json(data) };
  });
}

/** The names of its fields stay (`data: …`), and nothing else does. */
function eventText(event: string, redactor: Redactor): string {
  const lines = event.split(/(?<=\n)/).map((line) => {
    const field = /^(?:data|event|id|retry)?: ?/.exec(line)?.[0] ?? "";
    return field + redactor.text(line.slice(field.length));
  });
  return lines.join("");
}

function payload(text: string, redactor: Redactor): Payload {
  const json = parse(text);
  return json === undefined ? { text: redactor.text(text) } : { json: redactor.json(json) };
}

/** An object or an array; a bare word or number is a text for us. */
function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
