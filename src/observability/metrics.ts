import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AccountReport } from "../admin/account-report.js";
import type { AccountStatus } from "../core/types.js";
import { version } from "../lib/version.js";
import type { DriftEntry } from "./protocol-drift.js";

/** How one attempt at an answer went; times in milliseconds. */
export type AnswerOutcome = {
  upstream: string;
  /** `ok`, or the code of the failure. */
  outcome: string;
  /** In the queue. */
  waited: number;
  /** From its turn to the first thing a client can see; undefined where there was none. */
  first: number | undefined;
};

export type RequestOutcome = { route: string; method: string; status: number; milliseconds: number };

const states: readonly AccountStatus["state"][] = [
  ...(["ok", "expiring", "busy", "limited", "quota", "login required", "unavailable"] as const),
];
const seconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** What is counted, for Prometheus. Labels are names of ours: no key, no prompt and no address is ever one. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #duration: Histogram<"route">;
  readonly #answers: Counter<"upstream" | "outcome">;
  readonly #waited: Histogram<"upstream">;
  readonly #first: Histogram<"upstream">;

  constructor() {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "moonbridge_requests_total",
      help: "HTTP requests",
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#duration = new Histogram({
      name: "moonbridge_request_seconds",
      help: "From the request to the end of its answer",
      labelNames: ["route"],
      buckets: seconds,
      registers,
    });
    this.#answers = new Counter({
      name: "moonbridge_answers_total",
      help: "Answers that upstreams were asked for, by how they ended",
      labelNames: ["upstream", "outcome"],
      registers,
    });
    this.#waited = new Histogram({
      name: "moonbridge_queue_wait_seconds",
      help: "Waiting for a turn",
      labelNames: ["upstream"],
      buckets: seconds,
      registers,
    });
    this.#first = new Histogram({
      name: "moonbridge_first_word_seconds",
      help: "From a request's turn to the first word of its answer",
      labelNames: ["upstream"],
      buckets: seconds,
      registers,
    });
    this.#process();
  }

  /** The content type of the page. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  request({ route, method, status, milliseconds }: RequestOutcome): void {
    this.#requests.inc({ route, method, status });
    this.#duration.observe({ route }, milliseconds / 1_000);
  }

  answer({ upstream, outcome, waited, first }: AnswerOutcome): void {
    this.#answers.inc({ upstream, outcome });
    this.#waited.observe({ upstream }, waited / 1_000);
    if (first !== undefined) this.#first.observe({ upstream }, first / 1_000);
  }

  /** Asks for these at every look. */
  watch(accounts: () => readonly AccountReport[], drift: () => readonly DriftEntry[]): void {
    const perAccount = (name: string, help: string, read: (report: AccountReport) => number | undefined) =>
      this.#gauge(name, help, ["upstream"], (gauge) => {
        for (const report of accounts()) {
          const value = read(report);
          if (value !== undefined) gauge.set({ upstream: report.upstream }, value);
        }
      });
    perAccount("moonbridge_account_running", "Answers that are being made", ({ running }) => running);
    perAccount("moonbridge_account_waiting", "Requests that wait for their turn", ({ waiting }) => waiting);
    perAccount("moonbridge_upstream_failing", "1 where other upstreams are asked first", ({ failing }) =>
      failing ? 1 : 0,
    );
    perAccount("moonbridge_account_expires_timestamp_seconds", "When the login ends", ({ status }) =>
      "expiresAt" in status && status.expiresAt !== undefined ? status.expiresAt / 1_000 : undefined,
    );
    this.#gauge(
      "moonbridge_account_state",
      "1 for the state that it is in",
      ["upstream", "state"],
      (gauge) => {
        for (const { upstream, status } of accounts())
          for (const state of states) gauge.set({ upstream, state }, status.state === state ? 1 : 0);
      },
    );
    this.#gauge(
      "moonbridge_drift_total",
      "Things in answers that Moonbridge does not know",
      ["kind", "name"],
      (gauge) => {
        for (const { kind, name, count } of drift()) gauge.set({ kind, name }, count);
      },
    );
  }

  /** The page that Prometheus reads. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #process(): void {
    this.#gauge("moonbridge_info", "The version", ["version"], (gauge) => gauge.set({ version }, 1));
    this.#gauge("process_resident_memory_bytes", "Resident memory", [], (gauge) =>
      gauge.set(process.memoryUsage.rss()),
    );
    this.#gauge("process_cpu_seconds_total", "CPU time", [], (gauge) => {
      const { user, system } = process.cpuUsage();
      gauge.set((user + system) / 1e6);
    });
    const startedAt = Date.now() / 1_000 - process.uptime();
    this.#gauge("process_start_time_seconds", "When it started", [], (gauge) => gauge.set(startedAt));
  }

  #gauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        collect(gauge);
      },
    });
  }
}
