import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallLog } from "./call-log.js";
import { envelopeHeaderLength } from "./envelope.js";
import type { WireOptions } from "./faults.js";
import type { HttpCall } from "./http-call.js";
import { parseObject } from "./json.js";
import { parseRecordedCall, type RecordedResponse } from "./recorded-call.js";
import { ResponseWriter } from "./response-writer.js";

/** Thrown if the folder of a recording cannot be read, is empty or too large, or if a file in it is not a recording. */
export class RecordingError extends Error {}

/** The limit of a recording, and of a request. */
const maxBytes = 1_073_741_824;
/** Origin of the signed URLs in a recording. */
const signedOrigin = "http://signed.invalid";

/** Calls that are never replayed: recordings hold no tokens, so the simulator issues new ones. */
const refreshCalls = new Set([
  "POST /api/account.gateway.v1.AuthService/RefreshToken",
  "GET /api/auth/token/refresh",
]);

/** `pace`: milliseconds between chunks. */
type ReplayContext = { pace: number; callLog: CallLog; nextWireOptions: () => WireOptions };

/** Recorded responses by method and path, in the order of the recording; the last one of a kind is repeated. */
export class Replay {
  readonly #responses = new Map<string, RecordedResponse[]>();

  /** Reads a folder written by `moonbridge serve --record`. Throws RecordingError. */
  static async open(folder: string): Promise<Replay> {
    const replay = new Replay();
    for (const [name, content] of await readFolder(folder)) {
      const recorded = parseRecordedCall(content);
      if (!recorded) throw new RecordingError(`${join(folder, name)} is not of the form of a recording.`);
      replay.#add(`${recorded.method} ${recorded.path}`, recorded.response);
    }
    if (replay.#responses.size === 0) throw new RecordingError(`there is nothing recorded in ${folder}.`);
    return replay;
  }

  #add(methodAndPath: string, response: RecordedResponse): void {
    if (refreshCalls.has(methodAndPath)) return;
    const kind = callKind(methodAndPath);
    this.#responses.set(kind, [...(this.#responses.get(kind) ?? []), response]);
  }

  /**
   * Sends the next response to a call of this kind, after the request was recorded in the call log; false if none was
   * recorded. `nextWireOptions` is called for each streamed response.
   */
  async respond(call: HttpCall, { pace, callLog, nextWireOptions }: ReplayContext): Promise<boolean> {
    const responses = this.#responses.get(callKind(`${call.logEntry.method} ${call.logEntry.path}`)) ?? [];
    const response = responses.length > 1 ? responses.shift() : responses[0];
    if (!response) return false;
    const bytes = await call.readBody(maxBytes);
    const body = parseObject(bytes.toString()) ?? parseObject(bytes.toString("utf8", envelopeHeaderLength));
    if (body) callLog.recordBody(call.logEntry, body, bytes.length);
    await sendResponse(response, call, { pace, wireOptions: isStream(response) ? nextWireOptions() : {} });
    return true;
  }
}

function isStream({ head }: RecordedResponse): boolean {
  return /^(application\/connect\+json|text\/event-stream)/.test(head?.headers["content-type"] ?? "");
}

/** Of the wire options only those that concern bytes change a recording: `split` and `burst`. */
async function sendResponse(
  response: RecordedResponse,
  call: HttpCall,
  { pace, wireOptions: { split, burst } }: { pace: number; wireOptions: WireOptions },
): Promise<void> {
  if (!response.head) return call.cut();
  const responseWriter = new ResponseWriter(call, {
    ...(split ? { split } : {}),
    ...(burst ? { burst } : {}),
  });
  call.response.writeHead(response.head.status, response.head.headers).flushHeaders();
  const siteUrl = `http://${call.request.headers.host ?? "127.0.0.1"}`;
  for (const bytes of response.body) {
    responseWriter.writeBytes(
      hasSignedUrl(bytes) ? Buffer.from(bytes.toString().replaceAll(signedOrigin, siteUrl)) : bytes,
    );
    if (pace > 0) await sleep(pace, undefined, { signal: call.stopSignal });
    if (pace > 0 || responseWriter.shouldFlush) await responseWriter.flush();
  }
  await (response.complete ? responseWriter.end() : responseWriter.cut());
}

/** Only JSON bodies hold URLs that a client follows; they are sent without a length, so it may change. */
function hasSignedUrl(bytes: Buffer): boolean {
  return bytes[0] === 0x7b && bytes.includes(signedOrigin);
}

/** Method and path with `*` for every id, since ids differ between the recording and the replay. */
function callKind(methodAndPath: string): string {
  return methodAndPath.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-v]{20}\b/g, "*");
}

/** The numbered files of a folder, in the order of their numbers. */
async function readFolder(folder: string): Promise<[name: string, content: string][]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^\d+\.jsonl$/.test(name));
    names.sort((first, second) => Number.parseInt(first, 10) - Number.parseInt(second, 10));
    const files: [string, string][] = [];
    let totalBytes = 0;
    for (const name of names) {
      const content = await readFile(join(folder, name), "utf8");
      totalBytes += content.length;
      if (totalBytes > maxBytes) throw new RecordingError(`there is too much in ${folder}.`);
      files.push([name, content]);
    }
    return files;
  } catch (cause) {
    if (cause instanceof RecordingError) throw cause;
    throw new RecordingError(`${folder} cannot be read.`, { cause });
  }
}
