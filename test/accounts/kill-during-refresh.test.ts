import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import type { TokenPair } from "../../src/core/token.js";
import { openStore } from "../../src/store/open-store.js";

const workerPath = new URL("./refresh-worker.mjs", import.meta.url).pathname;

/** Accounts per process: each kill interrupts their refreshes at different points. */
const loginsAtOnce = 12;
const killPoints = 100;

type Outcomes = { kills: number; notStored: number; recovered: number; "login required": number };
const outcomesByName: Record<string, Outcomes> = {};
afterAll(() => console.table(outcomesByName));

describe("kill -9 at a hundred points of a refresh", { concurrent: true, timeout: 120_000 }, () => {
  test("recovers every login if Kimi accepts an old refresh token for a minute", async ({
    onTestFinished,
  }) => {
    const count = await killRepeatedly(onTestFinished, "tolerated for a minute", 60);
    expect(count.recovered).toBe(count.kills);
    expect(count.notStored).toBeGreaterThan(0);
  });

  test("requires a login only for pairs that were not stored if Kimi revokes old refresh tokens at once", async ({
    onTestFinished,
  }) => {
    const count = await killRepeatedly(onTestFinished, "revoked at once", 0);
    expect(count["login required"]).toBe(count.notStored);
    expect(count.notStored).toBeGreaterThan(0);
  });
});

/** Kills process after process; each one starts with what the previous one has stored. */
async function killRepeatedly(
  onTestFinished: TestContext["onTestFinished"],
  name: string,
  refreshGraceSeconds: number,
): Promise<Outcomes> {
  const simulator = await startSimulator({ refreshGraceSeconds });
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-kill-"));
  const path = join(folder, "moonbridge.db");
  const store = await openStore({ store: { kind: "sqlite", path }, encryptionKeys: [] });
  onTestFinished(async () => {
    await simulator.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const outcomes = { kills: 0, notStored: 0, recovered: 0, "login required": 0 };
  outcomesByName[name] = outcomes;
  const logins = new Map<string, TokenPair>();
  for (let kill = 0; outcomes.kills < killPoints; kill++) {
    const storedTokens = new Map<string, string>();
    for (const [account, tokens] of logins) {
      const { current } = (await store.findCredentials(account)) ?? { current: tokens };
      storedTokens.set(account, current.refreshToken ?? "");
    }
    // Replaces accounts that need a login.
    while (logins.size < loginsAtOnce) logins.set(`login-${kill}-${logins.size}`, simulator.issue());
    const settings = { path, url: simulator.url, later: kill * 10_000, logins: Object.fromEntries(logins) };
    const child = spawn(process.execPath, [workerPath, JSON.stringify(settings)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    for (const [account, outcome] of await firstReports(child, logins.size)) {
      const refreshToken = storedTokens.get(account);
      if (outcome === "account_login_required") logins.delete(account);
      else expect(outcome).toBe("ok");
      if (refreshToken === undefined) continue;
      // The killed process had used it too, so the response of that refresh was lost.
      const wasUsed = countUses(simulator, refreshToken) > 1;
      outcomes.kills++;
      if (wasUsed) outcomes.notStored++;
      if (outcome === "ok") outcomes.recovered++;
      else outcomes["login required"]++;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    child.kill("SIGKILL");
    await once(child, "close");
  }
  return outcomes;
}

async function firstReports(child: ChildProcess, expected: number): Promise<Map<string, string>> {
  const reports = new Map<string, string>();
  if (!child.stdout) return reports;
  for await (const line of createInterface({ input: child.stdout })) {
    const [account = "", outcome = ""] = line.split(" ");
    if (!reports.has(account)) reports.set(account, outcome);
    if (reports.size === expected) break;
  }
  return reports;
}

function countUses(simulator: Simulator, refreshToken: string): number {
  return simulator.calls.filter(({ body }) => body?.refresh_token === refreshToken).length;
}
