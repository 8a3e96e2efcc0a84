import { encodeEnvelope, encodeGzipEnvelope } from "./envelope.js";
import { asObject, asString, type JsonObject, parseObject } from "./json.js";

/** A recorded response, as bytes to send again. */
export type RecordedResponse = {
  /** Undefined if the connection broke before the status line. */
  head: { status: number; headers: Record<string, string> } | undefined;
  /** The chunks to write, one for each frame or event. */
  body: Buffer[];
  /** False if the connection broke before the end of the body. */
  complete: boolean;
};

/** The request line and the response of one recorded HTTP call. */
export type RecordedCall = { method: string; path: string; response: RecordedResponse };

const compressedFlag = 0x01;
/** Limit of a `bytes` line: bytes that were not recorded are sent as zeros. */
const maxZeroBytes = 268_435_456;

/** Parses one file of a recording (docs/guide/recording.md, “File format”); undefined for any other content. */
export function parseRecordedCall(content: string): RecordedCall | undefined {
  const [requestLine, ...lines] = content.trimEnd().split("\n").map(parseObject);
  const [method, path] = [asString(requestLine?.method), asString(requestLine?.path)];
  const endLine = lines.pop();
  if (requestLine?.recording !== 1 || !method || !path || !endLine) return undefined;
  const statusLineIndex = lines.findIndex((line) => line?.status !== undefined);
  const body = (statusLineIndex < 0 ? [] : lines.slice(statusLineIndex + 1)).map(encodeLine);
  if (!body.every((bytes) => bytes !== undefined)) return undefined;
  return {
    method,
    path,
    response: { head: parseHead(lines[statusLineIndex]), body, complete: endLine.end === "complete" },
  };
}

function parseHead(line: JsonObject | undefined): RecordedResponse["head"] {
  const headers = Object.entries(asObject(line?.headers) ?? {}).map(([name, value]) => [name, String(value)]);
  return line && { status: Number(line.status), headers: Object.fromEntries(headers) };
}

/** The bytes for one line of a recorded body; undefined for an invalid line. */
function encodeLine(line: JsonObject | undefined): Buffer | undefined {
  if (!line) return undefined;
  if (line.data !== undefined) return Buffer.from(`data: ${JSON.stringify(line.data)}\n\n`);
  const payload = encodePayload(line);
  return payload && typeof line.flags === "number" ? encodeFrame(payload, line.flags, line.length) : payload;
}

function encodePayload({ json, text, bytes }: JsonObject): Buffer | undefined {
  if (json !== undefined) return Buffer.from(JSON.stringify(json));
  if (typeof text === "string") return Buffer.from(text);
  if (typeof bytes === "number" && bytes >= 0 && bytes <= maxZeroBytes) return Buffer.alloc(bytes);
  return undefined;
}

/** A Connect envelope. `length` is the announced length of an envelope that was cut off; undefined for a complete one. */
function encodeFrame(payload: Buffer, flags: number, length: unknown): Buffer {
  if (flags & compressedFlag && length === undefined) return encodeGzipEnvelope(payload.toString(), flags);
  const envelope = encodeEnvelope(payload.toString(), flags);
  if (typeof length === "number") envelope.writeUInt32BE(length, 1);
  return envelope;
}
