import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, type TestContext } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import type { StoreLocation } from "../../src/config/store-location.js";
import type { TokenPair } from "../../src/core/token.js";
import { openStore } from "../../src/store/open-store.js";

const workerPath = new URL("./refresh-worker.mjs", import.meta.url).pathname;

/** Where the credentials are; `encryptionKey`: in Base64. */
type Storage = { store: StoreLocation; encryptionKey?: string };

export type KillOptions = {
  /** How long Kimi accepts a refresh token after it was used. */
  refreshGraceSeconds: number;
  killPoints: number;
  /** Accounts per process: each kill interrupts their refreshes at different points. */
  loginsAtOnce: number;
  storage: Storage;
  /** Ends the locks of a killed process, where setting the clock of the next one ahead does not. */
  expireLocks?: () => Promise<void>;
};

/** `notStored`: the killed process had used the refresh token, and not stored the new one. */
export type Outcomes = { kills: number; notStored: number; recovered: number; "login required": number };

/**
 * Kills process after process; each one starts with what the previous one has stored. At the end so many refreshes were
 * interrupted.
 */
export async function killRepeatedly(
  onTestFinished: TestContext["onTestFinished"],
  { refreshGraceSeconds, killPoints, loginsAtOnce, storage, expireLocks = async () => {} }: KillOptions,
): Promise<Outcomes> {
  const simulator = await startSimulator({ refreshGraceSeconds });
  const store = await openStore(parseStorage(storage));
  onTestFinished(async () => {
    await simulator.close();
    await store.close();
  });
  const outcomes = { kills: 0, notStored: 0, recovered: 0, "login required": 0 };
  const logins = new Map<string, TokenPair>();
  for (let kill = 0; outcomes.kills < killPoints; kill++) {
    const storedTokens = new Map<string, string>();
    for (const [account, tokens] of logins) {
      const { current } = (await store.findCredentials(account)) ?? { current: tokens };
      storedTokens.set(account, current.refreshToken ?? "");
    }
    // Replaces accounts that need a login.
    while (logins.size < loginsAtOnce) logins.set(`login-${kill}-${logins.size}`, simulator.issue());
    const settings = {
      storage,
      url: simulator.url,
      later: kill * 10_000,
      logins: Object.fromEntries(logins),
    };
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
    await expireLocks();
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

function parseStorage({ store, encryptionKey }: Storage) {
  return {
    store,
    encryptionKeys: encryptionKey === undefined ? [] : [Buffer.from(encryptionKey, "base64")],
  };
}
