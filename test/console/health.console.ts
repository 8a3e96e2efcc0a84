import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { goTo, openConsole } from "./open-console.js";

/** What a link of the page downloads: its file name and text. */
async function download(page: Page, link: string): Promise<{ name: string; text: string }> {
  const started = page.waitForEvent("download");
  await page.getByRole("link", { name: link }).click();
  const file = await started;
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}

test("the checks are run from the page, and show what is well and what to do", async () => {
  const { page } = await openConsole();
  await goTo(page, "health");
  await page.getByRole("button", { name: "Run the checks" }).click();
  await page.getByText("account me", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Run the checks" }).waitFor({ timeout: 30_000 });
  await page.getByText("Kimi has sent nothing that Moonbridge does not know.").waitFor();
  expect(await page.locator("main").textContent()).not.toContain("CANARY");
});

test("the checks can be stopped", async () => {
  const { page, gateway } = await openConsole();
  gateway.simulator.fault({ kind: "slow-start", milliseconds: 20_000 }, 50);
  await goTo(page, "health");
  await page.getByRole("button", { name: "Run the checks" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Run the checks" }).waitFor();
});

test("what Kimi has changed is listed, and the log of the page has its warning", async () => {
  const { page, gateway } = await openConsole();
  const messages = [{ role: "user" as const, content: "sim:fault=unknown" }];
  await gateway.client.chat.completions.create({ model: "kimi", messages });
  await goTo(page, "health");
  await page.getByRole("table").getByRole("row").nth(1).waitFor();
  const log = page.getByRole("list", { name: "Log" });
  await page.getByLabel("Warnings and errors only").click();
  await log.getByText("warn", { exact: true }).first().waitFor();
  expect(await log.getByText("info", { exact: true }).count()).toBe(0);
});

test("a support bundle and the table of usage are downloaded, without a secret or a text", async () => {
  const { page, gateway } = await openConsole();
  await gateway.client.chat.completions.create({
    model: "kimi",
    messages: [{ role: "user", content: "CANARY-prompt sim:say=CANARY-answer" }],
  });
  await goTo(page, "health");
  const bundle = await download(page, "Download a support bundle");
  expect(bundle.name).toMatch(/^moonbridge-support-.*\.json$/);
  expect(Object.keys(JSON.parse(bundle.text))).toEqual(expect.arrayContaining(["server", "log"]));
  await goTo(page, "usage");
  await page.getByRole("table").getByText("test").first().waitFor();
  const table = await download(page, "CSV");
  expect(table.name).toMatch(/\.csv$/);
  expect(table.text).toMatch(/^day,key,requests,.*\r?\n[\s\S]*,"?test"?,1,/);
  for (const { text } of [bundle, table]) expect(text).not.toMatch(/CANARY|eyJ/);
});
