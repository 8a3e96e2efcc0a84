import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { calendarDay } from "../../src/core/calendar-day.js";
import type { JournalEntry } from "../../src/core/journal.js";
import { goTo, openConsole } from "./open-console.js";

const pictures = { en: "docs/guide/console.png", zh: "docs/guide/console.zh-CN.png" } as const;
const largest = 200_000;
const hour = 3_600_000;

/** Requests of the last day, more at some hours than at others, and a few that failed. */
function lastDay(now: number): { entry: JournalEntry; day: string }[] {
  return Array.from({ length: 240 }, (_, index) => {
    const hoursAgo = Math.floor(((Math.sin(index * 7.3) + Math.sin(index * 1.7) + 2) / 4) * 23);
    const endedAt = Math.round(now - hoursAgo * hour - index * 1_000);
    const hasFailed = index % 37 === 5;
    const entry: JournalEntry = {
      id: `req_${index}`,
      endedAt,
      duration: 4_000 + ((index * 631) % 9_000),
      method: "POST",
      route: "/v1/chat/completions",
      status: hasFailed ? 503 : 200,
      failure: hasFailed ? "upstream_overloaded" : undefined,
      key: "nextchat",
      upstream: "me",
      model: "kimi",
      attempts: 1,
      firstOutput: 500 + ((index * 173) % 700),
      usage: {
        input: 300 + index,
        output: 500 + ((index * 37) % 400),
        reasoning: 0,
        cached: 0,
        estimated: true,
      },
    };
    return { entry, day: calendarDay(endedAt).date };
  });
}

test.each(["en", "zh"] as const)(
  "the README's picture of the console can be made, %s (with PICTURES=write it is)",
  async (language) => {
    const { page, gateway } = await openConsole({ language, height: 540 });
    await gateway.store.journal.addEntries(lastDay(Date.now()));
    await page.reload();
    await goTo(page, "");
    await page.locator(".figures").waitFor();
    await page.getByText("me", { exact: true }).waitFor();
    await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => undefined);
    const picture = await page.screenshot();
    if (process.env.PICTURES === "write") writeFileSync(pictures[language], picture);
    expect(picture.length).toBeLessThan(largest);
    expect(readFileSync(pictures[language]).length).toBeLessThan(largest);
  },
);
