import { encodeEnvelope, encodeGzipEnvelope } from "./envelope.js";
import { asObject, asString, type JsonObject, parseObject } from "./json.js";

/** A recorded response; `head` is undefined if the connection broke before the status line. */
export type RecordedResponse = {
  head: { status: number; headers: Record<string, string> } | undefined;
  /** The chunks to write, one for each frame or event. */
  body: Buffer[];
  complete: boolean;
};

export type RecordedCall = { method: string; path: string; response: RecordedResponse };

const compressedFlag = 0x01;
const maxBlankBytes = 268_435_456;

/** Parses one file of a recording (docs/guide/recording.md, “File format”); undefined for any other content. */
export function parseRecording(content: string): RecordedCall | undefined {
  const [first, ...lines] = content.trimEnd().split("\n").map(parseObject);
  const [method, path] = [asString(first?.method), asString(first?.path)];
  const lastLine = lines.pop();
  if (first?.recording !== 1 || !method || !path || !lastLine) return undefined;
  const start = lines.findIndex((line) => line?.status !== undefined);
  const body = (start < 0 ? [] : lines.slice(start + 1)).map(encodeLine);
  if (!body.every((bytes) => bytes !== undefined)) return undefined;
  return {
    method,
    path,
    response: { head: parseHead(lines[start]), body, complete: lastLine.end === "complete" },
  };
}

function parseHead(line: JsonObject | undefined): RecordedResponse["head"] {
  const headers = Object.entries(asObject(line?.headers) ?? {}).map(([name, value]) => [name, String(value)]);
  return line && { status: Number(line.status), headers: Object.fromEntries(headers) };
}

/** The bytes that a body line stands for; undefined for an invalid line. */
function encodeLine(line: JsonObject | undefined): Buffer | undefined {
  if (!line) return undefined;
  if (line.data !== undefined) return Buffer.from(`data: ${JSON.stringify(line.data)}\n\n`);
  const payload = encodePayload(line);
  return payload && typeof line.flags === "number" ? encodeFrame(payload, line.flags, line.length) : payload;
}

function encodePayload({ json, text, bytes }: JsonObject): Buffer | undefined {
  if (json !== undefined) return Buffer.from(JSON.stringify(json));
  if (typeof text === "string") return Buffer.from(text);
  if (typeof bytes === "number" && bytes >= 0 && bytes <= maxBlankBytes) return Buffer.alloc(bytes);
  return undefined;
}

/** `length` is the announced length of a frame that was cut short. */
function encodeFrame(payload: Buffer, flags: number, length: unknown): Buffer {
  if (flags & compressedFlag && length === undefined) return encodeGzipEnvelope(payload.toString(), flags);
  const envelope = encodeEnvelope(payload.toString(), flags);
  if (typeof length === "number") envelope.writeUInt32BE(length, 1);
  return envelope;
}
