import type { LocalizedText } from "../i18n/text.js";
import { translate } from "./print.js";

/**
 * Shows on a terminal that something is going on, from its second second on, and how long it has taken. `describe` gets
 * the seconds. Standard error is used, so that standard output stays what a program may read.
 */
export class Progress {
  readonly #describe: (seconds: number) => LocalizedText;
  #timer: NodeJS.Timeout | undefined;
  #isShown = false;

  constructor(describe: (seconds: number) => LocalizedText) {
    this.#describe = describe;
  }

  start(): void {
    if (!process.stderr.isTTY) return;
    const startedAt = Date.now();
    this.#timer = setInterval(() => {
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      this.#isShown = true;
      process.stderr.write(`\r${translate(this.#describe(seconds))}${clearRest}`);
    }, 1_000);
    this.#timer.unref();
  }

  /** Removes what is shown. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#isShown) process.stderr.write(`\r${clearRest}`);
    this.#isShown = false;
  }
}

/** The control sequence that clears a line from the cursor on. */
const clearRest = "\u001b[K";

/** Shows progress until the promise is settled. */
export async function withProgress<Result>(
  describe: (seconds: number) => LocalizedText,
  work: Promise<Result>,
): Promise<Result> {
  const progress = new Progress(describe);
  progress.start();
  try {
    return await work;
  } finally {
    progress.stop();
  }
}
