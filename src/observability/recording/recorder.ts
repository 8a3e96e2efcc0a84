import { access, constants, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dispatcher } from "undici";
import { ConfigError } from "../../config/validate.js";
import { limits } from "../../core/limits.js";
import { commandMessages } from "../../i18n/command-messages.js";
import { createFolder } from "../../lib/create-folder.js";
import { bodyLines } from "./body-lines.js";
import { Pseudonyms } from "./pseudonyms.js";
import { type Headers, RecordedCall } from "./recorded-call.js";
import { Redactor } from "./redactor.js";

export type RecorderOptions = {
  /** Record prompts and answers too; tokens, ids and names are replaced in any case. */
  keepTexts: boolean;
  /** Called once, if the recording has to stop. */
  warn: (message: string, error?: unknown) => void;
  /** Default: `limits.recordedBytes`. */
  maxBytes?: number;
};

/** Headers that describe the protocol and contain nothing personal. */
const recordedHeaders = [
  "content-type",
  "content-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "retry-after",
  "x-msh-platform",
  "x-msh-version",
];

/**
 * Records redacted HTTP calls to Kimi, one file per call, for the simulator to replay (docs/guide/recording.md,
 * “Recording”). A failure ends the recording and does not affect answers.
 */
export class Recorder {
  readonly #folder: string;
  readonly #options: RecorderOptions;
  readonly #pseudonyms: Pseudonyms;
  readonly #pendingWrites = new Set<Promise<void>>();
  #lastNumber: number;
  #bytes = 0;
  #isStopped = false;

  private constructor(folder: string, lastNumber: number, options: RecorderOptions) {
    this.#folder = folder;
    this.#lastNumber = lastNumber;
    this.#pseudonyms = new Pseudonyms(lastNumber);
    this.#options = options;
  }

  /** Appends to what the folder already holds. Throws ConfigError where the folder cannot be written. */
  static async open(folder: string, options: RecorderOptions): Promise<Recorder> {
    try {
      await createFolder(folder);
      await access(folder, constants.W_OK);
      const numbers = (await readdir(folder)).map((name) => Number.parseInt(name, 10) || 0);
      return new Recorder(folder, Math.max(0, ...numbers), options);
    } catch (cause) {
      throw new ConfigError(commandMessages.recordFolder(folder), { cause });
    }
  }

  /** An undici interceptor that records calls; `prefix` is the path prefix that a reverse proxy adds to Kimi's paths. */
  interceptor(prefix: string): Dispatcher.DispatcherComposeInterceptor {
    return (dispatch) => (options, handler) => {
      const call = this.#beginCall(options, prefix);
      return dispatch(options, call ? call.observe(handler) : handler);
    };
  }

  /** Resolves when all ended calls are written. */
  async close(): Promise<void> {
    await Promise.all(this.#pendingWrites);
  }

  #beginCall(options: Dispatcher.DispatchOptions, prefix: string): RecordedCall | undefined {
    if (this.#isStopped) return undefined;
    if (this.#lastNumber >= limits.recordedCalls) {
      this.#stop("The recording has as many files as it may have, and stops");
      return undefined;
    }
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    return new RecordedCall(options, prefix, {
      reserveBytes: (bytes) => this.#reserveBytes(bytes),
      onCallEnd: (call) => this.#write(number, call),
    });
  }

  /** Adds to the size of the recording; false where the limit is exceeded. */
  #reserveBytes(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes > (this.#options.maxBytes ?? limits.recordedBytes))
      this.#stop("The recording is as large as it may become, and stops");
    return !this.#isStopped;
  }

  #write(number: number, call: RecordedCall): void {
    if (this.#isStopped) return;
    const write = this.#redactAndWrite(number, call).catch((error: unknown) =>
      this.#stop("The recording cannot be written, and stops", error),
    );
    this.#pendingWrites.add(write);
    void write.finally(() => this.#pendingWrites.delete(write));
  }

  async #redactAndWrite(number: number, call: RecordedCall): Promise<void> {
    const lines = this.#lines(call).map((line) => `${JSON.stringify(line)}\n`);
    await writeAtomically(join(this.#folder, `${String(number).padStart(6, "0")}.jsonl`), lines.join(""));
  }

  #lines({ method, path, request, response, isComplete }: RecordedCall): object[] {
    // A PUT goes to a presigned URL (kimi-web.md §1.7).
    const shown = method === "PUT" ? this.#pseudonyms.signedPath(path) : this.#pseudonyms.path(path);
    return [
      { recording: 1, method, path: shown, headers: recordableHeaders(request.headers) },
      ...this.#body(request.headers, request.body),
      ...(response ? [{ status: response.status, headers: recordableHeaders(response.headers) }] : []),
      ...(response ? this.#body(response.headers, Buffer.concat(response.chunks)) : []),
      { end: isComplete ? "complete" : "cut" },
    ];
  }

  #body(headers: Headers, body: Buffer | number): object[] {
    if (typeof body === "number") return [{ bytes: body }];
    if (headers["content-encoding"] && headers["content-encoding"] !== "identity")
      return [{ bytes: body.length }];
    return bodyLines(
      body,
      headers["content-type"] ?? "",
      new Redactor(this.#pseudonyms, this.#options.keepTexts),
    );
  }

  #stop(message: string, error?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#options.warn(message, error);
  }
}

function recordableHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    recordedHeaders.flatMap((name) => {
      const value = headers[name]?.replace(/;\s*boundary=.*/, "");
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Writes to a temporary file and renames it, so that no partial file is left. */
async function writeAtomically(path: string, content: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, content, { flag: "wx", mode: 0o600 });
    await rename(part, path);
  } catch (error) {
    await unlink(part).catch(() => {});
    throw error;
  }
}
