import { GatewayError } from "../core/errors.js";
import { type EnglishFinding, type Finding, toEnglish } from "./diagnostics/finding.js";

type Run = (options: { offline: boolean; signal: AbortSignal }) => AsyncGenerator<Finding>;

/** Runs the checks of `moonbridge doctor` for the console, one run at a time, and keeps what the last one found. */
export class DiagnosticsRuns {
  readonly #run: Run;
  #isRunning = false;
  #last: { at: number; offline: boolean; findings: readonly EnglishFinding[] } | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** The last run that was not aborted, and when it ended. */
  get last() {
    return this.#last;
  }

  /** Yields the findings as they are made. Throws `server_busy` while another run goes on. */
  async *run(offline: boolean, signal: AbortSignal): AsyncGenerator<Finding> {
    if (this.#isRunning)
      throw new GatewayError(
        "server_busy",
        "The checks are running already. Try again when they have ended.",
        {
          retryAfterSeconds: 10,
        },
      );
    this.#isRunning = true;
    const findings: EnglishFinding[] = [];
    try {
      for await (const finding of this.#run({ offline, signal })) {
        findings.push(toEnglish(finding));
        yield finding;
      }
      if (!signal.aborted) this.#last = { at: Date.now(), offline, findings };
    } finally {
      this.#isRunning = false;
    }
  }
}
