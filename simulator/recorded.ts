import { envelope, gzipEnvelope } from "./envelope.js";
import { type JsonObject, object, parseObject, text } from "./json.js";

/** One answer of a recording; without a head the connection broke before there was any. */
export type RecordedAnswer = {
  head: { status: number; headers: Record<string, string> } | undefined;
  /** As it is to be written, frame by frame or event by event. */
  body: Buffer[];
  complete: boolean;
};

export type Recorded = { method: string; path: string; answer: RecordedAnswer };

const compressed = 0x01;
const largestBlank = 268_435_456;

/** Reads one file of a recording (docs/simulator.md, “Recording”); undefined where it is none. */
export function readRecording(content: string): Recorded | undefined {
  const [first, ...rest] = content.trimEnd().split("\n").map(parseObject);
  const [method, path] = [text(first?.method), text(first?.path)];
  const last = rest.pop();
  if (first?.recording !== 1 || !method || !path || !last) return undefined;
  const start = rest.findIndex((line) => line?.status !== undefined);
  const body = (start < 0 ? [] : rest.slice(start + 1)).map(bytesOf);
  if (!body.every((bytes) => bytes !== undefined)) return undefined;
  return { method, path, answer: { head: headOf(rest[start]), body, complete: last.end === "complete" } };
}

function headOf(line: JsonObject | undefined): RecordedAnswer["head"] {
  const headers = Object.entries(object(line?.headers) ?? {}).map(([name, value]) => [name, String(value)]);
  return line && { status: Number(line.status), headers: Object.fromEntries(headers) };
}

/** The bytes that a line of a body stands for; undefined for a line that is none. */
function bytesOf(line: JsonObject | undefined): Buffer | undefined {
  if (!line) return undefined;
  if (line.data !== undefined) return Buffer.from(`data: ${JSON.stringify(line.data)}\n\n`);
  const payload = payloadOf(line);
  return payload && typeof line.flags === "number" ? frame(payload, line.flags, line.length) : payload;
}

function payloadOf({ json, text, bytes }: JsonObject): Buffer | undefined {
  if (json !== undefined) return Buffer.from(JSON.stringify(json));
  if (typeof text === "string") return Buffer.from(text);
  if (typeof bytes === "number" && bytes >= 0 && bytes <= largestBlank) return Buffer.alloc(bytes);
  return undefined;
}

/** `length` is what a frame announced that was cut short. */
function frame(payload: Buffer, flags: number, length: unknown): Buffer {
  if (flags & compressed && length === undefined) return gzipEnvelope(payload.toString(), flags);
  const whole = envelope(payload.toString(), flags);
  if (typeof length === "number") whole.writeUInt32BE(length, 1);
  return whole;
}
