import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

export type ContentWatcherOptions = {
  /** The files to watch now. They may be missing. */
  paths: () => readonly string[];
  /** Milliseconds between two looks at the files. */
  interval: number;
  /** Bytes; a larger file is not read. */
  maxBytes: number;
  /** Called when the contents have changed, and once at the beginning. False: it is called again at the next look. */
  onChange: () => Promise<boolean>;
};

/**
 * Notices that files have other contents, whichever way these came: written in place, by a rename, behind a symbolic link or
 * a mount that was swapped. It reads the files at intervals, since events of the file system miss some of these ways. A
 * change counts when two looks in a row find the same contents, so that a file is not read half-written. Nothing is noticed while
 * a path leads to something else than a file, such as a pipe, or to a larger one than `maxBytes`.
 */
export class ContentWatcher {
  readonly #options: ContentWatcherOptions;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #lastSeen: string | undefined;
  #lastHandled: string | undefined;

  constructor(options: ContentWatcherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#lookUnlessLooking(), options.interval).unref();
  }

  /** Stops looking. A call of `onChange` may still be running. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #lookUnlessLooking(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#look().finally(() => {
      this.#isLooking = false;
    });
  }

  async #look(): Promise<void> {
    const { paths, maxBytes, onChange } = this.#options;
    const contents = await Promise.all(paths().map((path) => digestOf(path, maxBytes)));
    if (contents.includes(undefined)) return;
    const seen = contents.join();
    const isSettled = seen === this.#lastSeen;
    this.#lastSeen = seen;
    if (isSettled && seen !== this.#lastHandled && (await onChange())) this.#lastHandled = seen;
  }
}

/** A digest of the content. Undefined for what is too large or no file: reading a pipe would empty it, or never end. */
async function digestOf(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    const status = await stat(path);
    if (!status.isFile() || status.size > maxBytes) return undefined;
    return createHash("sha256")
      .update(await readFile(path))
      .digest("base64");
  } catch {
    return "missing";
  }
}
