import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { type Ailment, KimiAccount, Process, type Trouble } from "./kimi-account.js";
import { pass, startVirtualTime, untilDone } from "./virtual-time.js";

vi.mock("node:timers/promises", async () => (await import("./virtual-time.js")).timersPromises);

/** A day has thousands of writes; here it matters what is written, not that a disk keeps it. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Every token renewed at four fifths of its 15 minutes, and never otherwise. */
const ideal = day / (0.8 * 15 * minute);

type Scenario = {
  processes: number;
  /** How far Kimi's clock is ahead of ours. */
  ahead?: number;
  /** How often all processes are stopped or killed in turn, and started again. */
  restartEvery?: number;
  /** What happens to a call of the token refresh, and how often. */
  trouble?: { kind: Trouble; every: number };
  /** Kimi cannot be reached, or the store does not work, for so long each time. */
  outage?: { every: number; lasts: number };
  ailment?: { kind: Ailment; every: number; lasts: number };
  /** How long somebody asks. */
  asks?: number;
};

const scenarios: [name: string, scenario: Scenario][] = [
  ["one process", { processes: 1 }],
  ["one process, asked for two hours only", { processes: 1, asks: 2 * hour }],
  ["two processes", { processes: 2 }],
  ["two processes, restarted or killed hourly", { processes: 2, restartEvery: hour }],
  ["the same, Kimi's clock 5 minutes ahead", { processes: 2, restartEvery: hour, ahead: 5 * minute }],
  ["the same, Kimi's clock 5 minutes behind", { processes: 2, restartEvery: hour, ahead: -5 * minute }],
  ["an answer lost every 4 hours", { processes: 2, trouble: { kind: "lost", every: 4 * hour } }],
  ["an answer refused every 4 hours", { processes: 2, trouble: { kind: "refused", every: 4 * hour } }],
  ["Kimi unreachable for 2 minutes, hourly", { processes: 2, outage: { every: hour, lasts: 2 * minute } }],
  [
    "the store locked for 2 minutes, hourly",
    { processes: 2, ailment: { kind: "locked", every: hour, lasts: 2 * minute } },
  ],
  [
    "one process, the disk full for 40 minutes, every 3 hours",
    { processes: 1, ailment: { kind: "full", every: 3 * hour, lasts: 40 * minute } },
  ],
  [
    "all of it at once",
    {
      processes: 2,
      ahead: 5 * minute,
      restartEvery: 170 * minute,
      trouble: { kind: "lost", every: 7 * hour },
      outage: { every: 4 * hour, lasts: minute },
      ailment: { kind: "locked", every: 5 * hour, lasts: minute },
    },
  ],
];

const table: Record<string, Record<string, number | string>> = {};
afterAll(() => console.table(table));

test.each(scenarios)("24 hours with tokens of 15 minutes: %s", async (name, scenario) => {
  startVirtualTime();
  const startedAt = Date.now();
  const time = () => Date.now() - startedAt;
  const within = (window: { every: number; lasts: number } | undefined) =>
    window !== undefined && time() >= window.every && time() < day && time() % window.every < window.lasts;
  const kimi = new KimiAccount({ ahead: scenario.ahead ?? 0 });
  const configured = kimi.login();
  const folder = mkdtempSync(join(memory, "moonbridge-day-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "moonbridge.db");
  const ailment = () => (within(scenario.ailment) ? scenario.ailment?.kind : undefined);
  const start = () => Process.start(kimi, path, configured, ailment);
  const ended: Process[] = [];
  let running = await Promise.all(Array.from({ length: scenario.processes }, start));

  const restart = async (kill: boolean) => {
    ended.push(...running);
    await untilDone(Promise.all(running.map((process) => (kill ? process.kill() : process.stop()))));
    running = await Promise.all(running.map(start));
  };
  const step = 20 * second;
  let restarts = 0;
  let troubles = 0;
  for (let now = 0; now < day; now += step) {
    // Each process is asked at another moment.
    for (const process of running) {
      if (now < (scenario.asks ?? day)) void process.ask();
      await pass(step / running.length);
    }
    kimi.isUnreachable = within(scenario.outage);
    const { trouble, restartEvery } = scenario;
    if (trouble && time() >= (troubles + 1) * trouble.every) {
      troubles++;
      kimi.troubles.push(trouble.kind);
    }
    if (restartEvery && time() >= (restarts + 1) * restartEvery) await restart(restarts++ % 2 === 1);
  }
  const { refreshes } = kimi;
  const all = [...ended, ...running];
  const total = (key: "waits" | "failures") => all.reduce((sum, process) => sum + process[key], 0);
  const [waits, failures] = [total("waits"), total("failures")];

  // Whoever comes next finds a login that works and can be renewed.
  await untilDone(Promise.all(running.map((process) => process.stop())));
  kimi.isUnreachable = false;
  kimi.troubles.length = 0;
  const next = await start();
  const never = new AbortController().signal;
  const renewed = next.credentials
    .accessToken(never)
    .then((token) => next.credentials.replace(token, never))
    .catch(String);
  await pass(minute);
  const lost = kimi.accepts(await renewed) ? 0 : 1;
  const deviation = `${(100 * (refreshes / ideal - 1)).toFixed(1)} %`;
  table[name] = { refreshes, ideal, deviation, waits, failures, lost };
  expect(lost).toBe(0);
  expect(next.credentials.status().state).toBe("ok");
  expect(Math.abs(refreshes / ideal - 1)).toBeLessThan(0.1);
  expect(failures).toBe(0);
  await untilDone(next.stop());
});
