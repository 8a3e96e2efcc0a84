import { access, constants, mkdir, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dispatcher } from "undici";
import { ConfigError } from "../../config/validate.js";
import { limits } from "../../core/limits.js";
import { bodyLines } from "./body-lines.js";
import { StandIns } from "./pseudonyms.js";
import { type Headers, RecordedExchange } from "./recorded-call.js";
import { Redactor } from "./redactor.js";

export type RecorderOptions = {
  /** Keeps prompts and answers; tokens, ids and names are replaced all the same. */
  texts: boolean;
  /** Told once, when the recording has to stop. */
  warn: (message: string, error?: unknown) => void;
  /** Default: that of `limits`. */
  mostBytes?: number;
};

/** What of the headers says something about the protocol, and nothing about a person. */
const keptHeaders = [
  "content-type",
  "content-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "retry-after",
  "x-msh-platform",
  "x-msh-version",
];

/**
 * Writes what Kimi and we say to each other, redacted, one file an exchange, for the simulator to replay
 * (docs/simulator.md, “Recording”). Whatever goes wrong with it ends the recording and touches no answer.
 */
export class Recorder {
  readonly #folder: string;
  readonly #options: RecorderOptions;
  readonly #standIns: StandIns;
  readonly #writing = new Set<Promise<void>>();
  #number: number;
  #bytes = 0;
  #stopped = false;

  private constructor(folder: string, last: number, options: RecorderOptions) {
    this.#folder = folder;
    this.#number = last;
    this.#standIns = new StandIns(last);
    this.#options = options;
  }

  /** Goes on behind what the folder has already. Throws ConfigError where nothing can be written to it. */
  static async open(folder: string, options: RecorderOptions): Promise<Recorder> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK);
      const numbers = (await readdir(folder)).map((name) => Number.parseInt(name, 10) || 0);
      return new Recorder(folder, Math.max(0, ...numbers), options);
    } catch (cause) {
      throw new ConfigError(`--record: ${folder} is no folder that can be written to.`, { cause });
    }
  }

  /** Listens in on a host's connections; `prefix` is what a reverse proxy adds to the paths of Kimi's own. */
  tap(prefix: string): Dispatcher.DispatcherComposeInterceptor {
    return (dispatch) => (options, handler) => {
      const exchange = this.#begin(options, prefix);
      return dispatch(options, exchange ? exchange.listen(handler) : handler);
    };
  }

  /** Resolves when all that was over is written. */
  async close(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #begin(options: Dispatcher.DispatchOptions, prefix: string): RecordedExchange | undefined {
    if (this.#stopped) return undefined;
    if (this.#number >= limits.recordedExchanges) {
      this.#stop("The recording has as many files as it may have, and stops");
      return undefined;
    }
    this.#number += 1;
    const number = this.#number;
    return new RecordedExchange(options, prefix, {
      keeps: (bytes) => this.#keeps(bytes),
      over: (exchange) => this.#write(number, exchange),
    });
  }

  /** Counts bytes in; false where there is no more room for them. */
  #keeps(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes > (this.#options.mostBytes ?? limits.recordedBytes))
      this.#stop("The recording is as large as it may become, and stops");
    return !this.#stopped;
  }

  #write(number: number, exchange: RecordedExchange): void {
    if (this.#stopped) return;
    const written = this.#redactAndWrite(number, exchange).catch((error: unknown) =>
      this.#stop("The recording cannot be written, and stops", error),
    );
    this.#writing.add(written);
    void written.finally(() => this.#writing.delete(written));
  }

  async #redactAndWrite(number: number, exchange: RecordedExchange): Promise<void> {
    const lines = this.#lines(exchange).map((line) => `${JSON.stringify(line)}\n`);
    await writeWhole(join(this.#folder, `${String(number).padStart(6, "0")}.jsonl`), lines.join(""));
  }

  #lines({ method, path, asked, answered, complete }: RecordedExchange): object[] {
    // What is sent with PUT goes to an address that was signed for it (kimi-web.md §1.7).
    const shown = method === "PUT" ? this.#standIns.signedPath(path) : this.#standIns.path(path);
    return [
      { recording: 1, method, path: shown, headers: kept(asked.headers) },
      ...this.#body(asked.headers, asked.body),
      ...(answered ? [{ status: answered.status, headers: kept(answered.headers) }] : []),
      ...(answered ? this.#body(answered.headers, Buffer.concat(answered.chunks)) : []),
      { end: complete ? "complete" : "cut" },
    ];
  }

  #body(headers: Headers, body: Buffer | number): object[] {
    if (typeof body === "number") return [{ bytes: body }];
    if (headers["content-encoding"] && headers["content-encoding"] !== "identity")
      return [{ bytes: body.length }];
    return bodyLines(body, headers["content-type"] ?? "", new Redactor(this.#standIns, this.#options.texts));
  }

  #stop(message: string, error?: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.warn(message, error);
  }
}

function kept(headers: Headers): Headers {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = headers[name]?.replace(/;\s*boundary=.*/, "");
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The file is there as a whole or not at all. */
async function writeWhole(path: string, content: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, content, { flag: "wx", mode: 0o600 });
    await rename(part, path);
  } catch (error) {
    await unlink(part).catch(() => {});
    throw error;
  }
}
