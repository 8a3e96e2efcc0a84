import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { killRepeatedly, type Outcomes } from "./kill-repeatedly.js";

const outcomesByName: Record<string, Outcomes> = {};
afterAll(() => console.table(outcomesByName));

async function kill(
  onTestFinished: TestContext["onTestFinished"],
  name: string,
  refreshGraceSeconds: number,
): Promise<Outcomes> {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-kill-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const storage = { store: { kind: "sqlite", path: join(folder, "moonbridge.db") } } as const;
  const outcomes = await killRepeatedly(onTestFinished, {
    ...{ refreshGraceSeconds, killPoints: 50, loginsAtOnce: 12, storage },
  });
  outcomesByName[name] = outcomes;
  return outcomes;
}

describe("kill -9 at fifty points of a refresh", { concurrent: true, timeout: 120_000 }, () => {
  test("recovers every login if Kimi accepts an old refresh token for a minute", async ({
    onTestFinished,
  }) => {
    const count = await kill(onTestFinished, "tolerated for a minute", 60);
    expect(count.recovered).toBe(count.kills);
    expect(count.notStored).toBeGreaterThan(0);
  });

  test("requires a login only for pairs that were not stored if Kimi revokes old refresh tokens at once", async ({
    onTestFinished,
  }) => {
    const count = await kill(onTestFinished, "revoked at once", 0);
    expect(count["login required"]).toBe(count.notStored);
    expect(count.notStored).toBeGreaterThan(0);
  });
});
