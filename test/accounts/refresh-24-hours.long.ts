import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { FakeKimiAccount, GatewayProcess, type RefreshFault, type StoreFault } from "./fake-kimi-account.js";
import { advance, advanceUntilDone, startVirtualTime } from "./virtual-time.js";

vi.mock("node:timers/promises", async () => (await import("./virtual-time.js")).timersPromises);

/** In memory where possible: a day has thousands of writes, and their durability does not matter here. */
const tempRoot = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Refreshes in a day if each token is refreshed at 80 % of its 15 minutes and never otherwise. */
const idealRefreshes = day / (0.8 * 15 * minute);

type Scenario = {
  processes: number;
  /** Milliseconds that Kimi's clock is ahead. */
  clockAheadMs?: number;
  /** Interval at which all processes are restarted, alternately stopped and killed. */
  restartEvery?: number;
  /** A fault of a token refresh, and its interval. */
  refreshFault?: { kind: RefreshFault; every: number };
  /** Periods in which Kimi cannot be reached. */
  outage?: { every: number; duration: number };
  /** Periods in which the store fails. */
  storeFault?: { kind: StoreFault; every: number; duration: number };
  /** Requests are sent for this long from the start; for the whole day by default. */
  requestsFor?: number;
};

const scenarios: [name: string, scenario: Scenario][] = [
  ["one process", { processes: 1 }],
  ["one process, with requests in the first two hours only", { processes: 1, requestsFor: 2 * hour }],
  ["two processes", { processes: 2 }],
  ["two processes, restarted or killed hourly", { processes: 2, restartEvery: hour }],
  [
    "two processes, restarted or killed hourly, Kimi's clock 5 minutes ahead",
    { processes: 2, restartEvery: hour, clockAheadMs: 5 * minute },
  ],
  [
    "two processes, restarted or killed hourly, Kimi's clock 5 minutes behind",
    { processes: 2, restartEvery: hour, clockAheadMs: -5 * minute },
  ],
  [
    "a refresh response lost every 4 hours",
    { processes: 2, refreshFault: { kind: "lost", every: 4 * hour } },
  ],
  ["a refresh refused every 4 hours", { processes: 2, refreshFault: { kind: "refused", every: 4 * hour } }],
  ["Kimi unreachable for 2 minutes, hourly", { processes: 2, outage: { every: hour, duration: 2 * minute } }],
  [
    "the store locked for 2 minutes, hourly",
    { processes: 2, storeFault: { kind: "locked", every: hour, duration: 2 * minute } },
  ],
  [
    "one process, the disk full for 40 minutes, every 3 hours",
    { processes: 1, storeFault: { kind: "full", every: 3 * hour, duration: 40 * minute } },
  ],
  [
    "all faults combined",
    {
      processes: 2,
      clockAheadMs: 5 * minute,
      restartEvery: 170 * minute,
      refreshFault: { kind: "lost", every: 7 * hour },
      outage: { every: 4 * hour, duration: minute },
      storeFault: { kind: "locked", every: 5 * hour, duration: minute },
    },
  ],
];

const table: Record<string, Record<string, number | string>> = {};
afterAll(() => console.table(table));

test.each(scenarios)(
  "refreshes near the ideal rate and loses no login in 24 hours with 15-minute tokens: %s",
  async (name, scenario) => {
    startVirtualTime();
    const startedAt = Date.now();
    const time = () => Date.now() - startedAt;
    const within = (window: { every: number; duration: number } | undefined) =>
      window !== undefined &&
      time() >= window.every &&
      time() < day &&
      time() % window.every < window.duration;
    const kimi = new FakeKimiAccount({ ahead: scenario.clockAheadMs ?? 0 });
    const configured = kimi.issueTokens();
    const folder = mkdtempSync(join(tempRoot, "moonbridge-day-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "moonbridge.db");
    const storeFault = () => (within(scenario.storeFault) ? scenario.storeFault?.kind : undefined);
    const start = () => GatewayProcess.start(kimi, path, configured, storeFault);
    const ended: GatewayProcess[] = [];
    let running = await Promise.all(Array.from({ length: scenario.processes }, start));

    const restart = async (kill: boolean) => {
      ended.push(...running);
      await advanceUntilDone(Promise.all(running.map((process) => (kill ? process.kill() : process.stop()))));
      running = await Promise.all(running.map(start));
    };
    const step = 20 * second;
    let restarts = 0;
    let injectedFaults = 0;
    for (let now = 0; now < day; now += step) {
      // Requests of the processes are spread over the step.
      for (const process of running) {
        if (now < (scenario.requestsFor ?? day)) void process.request();
        await advance(step / running.length);
      }
      kimi.isUnreachable = within(scenario.outage);
      const { refreshFault, restartEvery } = scenario;
      if (refreshFault && time() >= (injectedFaults + 1) * refreshFault.every) {
        injectedFaults++;
        kimi.faults.push(refreshFault.kind);
      }
      if (restartEvery && time() >= (restarts + 1) * restartEvery) await restart(restarts++ % 2 === 1);
    }
    const { refreshes } = kimi;
    const all = [...ended, ...running];
    const total = (key: "waits" | "failures") => all.reduce((sum, process) => sum + process[key], 0);
    const [waits, failures] = [total("waits"), total("failures")];

    // A process started afterwards finds credentials that work and can be refreshed.
    await advanceUntilDone(Promise.all(running.map((process) => process.stop())));
    kimi.isUnreachable = false;
    kimi.faults.length = 0;
    const next = await start();
    const neverAborts = new AbortController().signal;
    const refreshed = next.credentials
      .accessToken(neverAborts)
      .then((token) => next.credentials.replace(token, neverAborts))
      .catch(String);
    await advance(minute);
    const lost = kimi.accepts(await refreshed) ? 0 : 1;
    const deviation = `${(100 * (refreshes / idealRefreshes - 1)).toFixed(1)} %`;
    table[name] = { refreshes, ideal: idealRefreshes, deviation, waits, failures, lost };
    expect(lost).toBe(0);
    expect(next.credentials.status().state).toBe("ok");
    expect(Math.abs(refreshes / idealRefreshes - 1)).toBeLessThan(0.1);
    expect(failures).toBe(0);
    await advanceUntilDone(next.stop());
  },
);
