import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import type { TokenPair } from "../../src/core/token.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";

const program = new URL("./child.mjs", import.meta.url).pathname;

/** Each kill meets a dozen logins, each of them somewhere else in its renewal. */
const loginsAtOnce = 12;
const points = 100;

type Count = { points: number; unstored: number; recovered: number; "login required": number };
const counts: Record<string, Count> = {};
afterAll(() => console.table(counts));

describe("kill -9 at a hundred points of a renewal", { concurrent: true, timeout: 120_000 }, () => {
  test("an old refresh token that Kimi tolerates for a minute: every login recovers", async ({
    onTestFinished,
  }) => {
    const count = await killAll(onTestFinished, "tolerated for a minute", 60);
    expect(count.recovered).toBe(count.points);
    expect(count.unstored).toBeGreaterThan(0);
  });

  test("one that dies at once: what was not stored is said to need a login, the rest recovers", async ({
    onTestFinished,
  }) => {
    const count = await killAll(onTestFinished, "dies at once", 0);
    expect(count["login required"]).toBe(count.unstored);
    expect(count.unstored).toBeGreaterThan(0);
  });
});

/** Kills again and again; each process but the first begins with what the one before has left. */
async function killAll(
  onTestFinished: TestContext["onTestFinished"],
  name: string,
  refreshGraceSeconds: number,
): Promise<Count> {
  const simulator = await startSimulator({ refreshGraceSeconds });
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-kill-"));
  const path = join(folder, "moonbridge.db");
  const store = await SqliteStore.open(path);
  onTestFinished(async () => {
    await simulator.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const count = { points: 0, unstored: 0, recovered: 0, "login required": 0 };
  counts[name] = count;
  const logins = new Map<string, TokenPair>();
  for (let kill = 0; count.points < points; kill++) {
    const left = new Map<string, string>();
    for (const [account, tokens] of logins) {
      const { current } = (await store.credentials(account)) ?? { current: tokens };
      left.set(account, current.refreshToken ?? "");
    }
    // Accounts that are lost make room for new ones.
    while (logins.size < loginsAtOnce) logins.set(`login-${kill}-${logins.size}`, simulator.issue());
    const settings = { path, url: simulator.url, later: kill * 10_000, logins: Object.fromEntries(logins) };
    const child = spawn(process.execPath, [program, JSON.stringify(settings)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    for (const [account, outcome] of await firstReports(child, logins.size)) {
      const refreshToken = left.get(account);
      if (outcome === "account_login_required") logins.delete(account);
      else expect(outcome).toBe("ok");
      if (refreshToken === undefined) continue;
      // The process that was killed had used it too, so Kimi's answer to that one was lost.
      const wasUsed = uses(simulator, refreshToken) > 1;
      count.points++;
      if (wasUsed) count.unstored++;
      if (outcome === "ok") count.recovered++;
      else count["login required"]++;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    child.kill("SIGKILL");
    await once(child, "close");
  }
  return count;
}

async function firstReports(child: ChildProcess, many: number): Promise<Map<string, string>> {
  const reports = new Map<string, string>();
  if (!child.stdout) return reports;
  for await (const line of createInterface({ input: child.stdout })) {
    const [account = "", outcome = ""] = line.split(" ");
    if (!reports.has(account)) reports.set(account, outcome);
    if (reports.size === many) break;
  }
  return reports;
}

function uses(simulator: Simulator, refreshToken: string): number {
  return simulator.calls.filter(({ body }) => body?.refresh_token === refreshToken).length;
}
