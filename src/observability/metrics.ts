import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AccountReport } from "../admin/accounts.js";
import type { ToolObserver } from "../chat/tools/tool-observer.js";
import type { StoreTraffic } from "../core/store.js";
import type { AccountStatus } from "../core/types.js";
import { version } from "../lib/version.js";
import type { DriftEntry } from "./protocol-drift.js";

/** The outcome of one attempt at an answer; times in milliseconds. */
export type AnswerMetrics = {
  upstream: string;
  /** `ok`, or the error code. */
  outcome: string;
  /** Time in the queue. */
  queueMs: number;
  /** From leaving the queue to the first visible event; undefined if there was none. */
  firstOutputMs: number | undefined;
};

export type RequestMetrics = { route: string; method: string; status: number; milliseconds: number };

/**
 * What came of asking for the rest of an answer whose stream was cut: it was `fetched`; what Kimi holds does not go on from
 * what was received (`different`); Kimi itself did not complete it (`failed`), not in time (`unfinished`), or cannot be read
 * (`unreadable`).
 */
export type CutAnswerOutcome = "fetched" | "different" | "failed" | "unfinished" | "unreadable";

const accountStates: readonly AccountStatus["state"][] = [
  ...(["ok", "expiring", "busy", "limited", "quota", "login required", "unavailable"] as const),
];
const bucketSeconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Prometheus metrics. Label values are Moonbridge's own names, never a key, a prompt or an address. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #duration: Histogram<"route">;
  readonly #answers: Counter<"upstream" | "outcome">;
  readonly #cutAnswers: Counter<"outcome">;
  readonly #lostSlots: Counter<"upstream">;
  readonly #queueWait: Histogram<"upstream">;
  readonly #firstOutput: Histogram<"upstream">;

  readonly #toolCalls: Counter<"family" | "outcome">;
  readonly #toolRepairs: Counter<"repair">;
  readonly #toolCorrections: Counter<"reason">;
  readonly #toolTails: Counter;
  readonly #toolMarkup: Counter;

  constructor() {
    const registers = [this.#registry];
    this.#toolCalls = new Counter({
      name: "moonbridge_tool_calls_total",
      help: "Function calls that models wrote as text, by the form in which they did",
      labelNames: ["family", "outcome"],
      registers,
    });
    this.#toolRepairs = new Counter({
      name: "moonbridge_tool_repairs_total",
      help: "What was mended in such calls",
      labelNames: ["repair"],
      registers,
    });
    this.#toolCorrections = new Counter({
      name: "moonbridge_tool_corrections_total",
      help: "Answers that were asked for again, by what was wrong with their calls",
      labelNames: ["reason"],
      registers,
    });
    this.#toolMarkup = new Counter({
      name: "moonbridge_tool_markup_total",
      help: "Calls in Kimi's own markup that were taken out of answers to requests without functions",
      registers,
    });
    this.#toolTails = new Counter({
      name: "moonbridge_tool_tails_total",
      help: "Answers that went on after their calls, whose rest was discarded",
      registers,
    });
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
      buckets: bucketSeconds,
      registers,
    });
    this.#answers = new Counter({
      name: "moonbridge_answers_total",
      help: "Answers that upstreams were asked for, by how they ended",
      labelNames: ["upstream", "outcome"],
      registers,
    });
    this.#cutAnswers = new Counter({
      name: "moonbridge_fetched_answers_total",
      help: "Answers whose stream was cut and whose rest was asked for, by what came of it",
      labelNames: ["outcome"],
      registers,
    });
    this.#lostSlots = new Counter({
      name: "moonbridge_lost_slots_total",
      help: "Slots of accounts that had expired in the shared store while they were in use",
      labelNames: ["upstream"],
      registers,
    });
    this.#queueWait = new Histogram({
      name: "moonbridge_queue_wait_seconds",
      help: "Waiting for a turn",
      labelNames: ["upstream"],
      buckets: bucketSeconds,
      registers,
    });
    this.#firstOutput = new Histogram({
      name: "moonbridge_first_word_seconds",
      help: "From a request's turn to the first word of its answer",
      labelNames: ["upstream"],
      buckets: bucketSeconds,
      registers,
    });
    this.#addProcessGauges();
  }

  /** The content type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts calls of emulated functions. */
  readonly toolObserver: ToolObserver = {
    onCall: (family, outcome) => this.#toolCalls.inc({ family, outcome }),
    onRepair: (repair) => this.#toolRepairs.inc({ repair }),
    onCorrection: (reason) => this.#toolCorrections.inc({ reason }),
    onMarkup: (count) => this.#toolMarkup.inc(count),
    onDiscardedTail: () => this.#toolTails.inc(),
  };

  recordRequest({ route, method, status, milliseconds }: RequestMetrics): void {
    this.#requests.inc({ route, method, status });
    this.#duration.observe({ route }, milliseconds / 1_000);
  }

  recordAnswer({ upstream, outcome, queueMs, firstOutputMs }: AnswerMetrics): void {
    this.#answers.inc({ upstream, outcome });
    this.#queueWait.observe({ upstream }, queueMs / 1_000);
    if (firstOutputMs !== undefined) this.#firstOutput.observe({ upstream }, firstOutputMs / 1_000);
  }

  recordCutAnswer(outcome: CutAnswerOutcome): void {
    this.#cutAnswers.inc({ outcome });
  }

  /** Counts slots of an upstream that had expired although they were in use. */
  recordLostSlots(upstream: string, count: number): void {
    this.#lostSlots.inc({ upstream }, count);
  }

  /** Adds gauges whose values are read from these functions at every scrape. */
  addStateGauges(accounts: () => readonly AccountReport[], drift: () => readonly DriftEntry[]): void {
    const perAccount = (name: string, help: string, read: (report: AccountReport) => number | undefined) =>
      this.#addGauge(name, help, ["upstream"], (gauge) => {
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
    this.#addGauge(
      "moonbridge_account_state",
      "1 for the state that it is in",
      ["upstream", "state"],
      (gauge) => {
        for (const { upstream, status } of accounts())
          for (const state of accountStates) gauge.set({ upstream, state }, status.state === state ? 1 : 0);
      },
    );
    this.#addGauge(
      "moonbridge_drift_total",
      "Things in answers that Moonbridge does not know",
      ["kind", "name"],
      (gauge) => {
        for (const { kind, name, count } of drift()) gauge.set({ kind, name }, count);
      },
    );
  }

  /** For a store on a server. */
  addStoreGauges(read: () => StoreTraffic): void {
    this.#addGauge("moonbridge_store_round_trips_total", "Calls to the store's server", [], (gauge) =>
      gauge.set(read().roundTrips),
    );
    this.#addGauge(
      "moonbridge_store_refused_locks_total",
      "Attempts to get a lock that another process held",
      [],
      (gauge) => gauge.set(read().refusedLocks),
    );
  }

  addJournalGauge(lost: () => number): void {
    this.#addGauge("moonbridge_journal_lost_total", "Requests that the journal lost", [], (gauge) =>
      gauge.set(lost()),
    );
  }

  /** All metrics in the Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #addProcessGauges(): void {
    this.#addGauge("moonbridge_info", "The version", ["version"], (gauge) => gauge.set({ version }, 1));
    this.#addGauge("process_resident_memory_bytes", "Resident memory", [], (gauge) =>
      gauge.set(process.memoryUsage.rss()),
    );
    this.#addGauge("process_cpu_seconds_total", "CPU time", [], (gauge) => {
      const { user, system } = process.cpuUsage();
      gauge.set((user + system) / 1e6);
    });
    const startedAt = Date.now() / 1_000 - process.uptime();
    this.#addGauge("process_start_time_seconds", "When it started", [], (gauge) => gauge.set(startedAt));
  }

  #addGauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
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
