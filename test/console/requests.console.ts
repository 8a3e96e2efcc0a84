import { expect, test } from "vitest";
import { accessibilityViolations } from "./accessibility.js";
import { goTo, openConsole } from "./open-console.js";

test("a request shows up while the page is open; its detail names error and remedy", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "requests");
  const create = (content: string) =>
    gateway.client.chat.completions.create({ model: "kimi", messages: [{ role: "user", content }] });
  await create("CANARY");
  await create("sim:fault=error,resource_exhausted CANARY").catch(() => undefined);
  const failed = page.getByRole("row", { name: /Failed/ });
  await failed.waitFor();
  await page.getByRole("row", { name: /Succeeded test/ }).waitFor();
  await failed.getByRole("link").click();
  await page.getByText("It failed:").waitFor();
  await page.getByText("What to do:").waitFor();
  expect(await page.locator("main").textContent()).not.toContain("CANARY");
});

test("with journal.texts the page says so in the list and the detail, which has the prompt and the answer as text", async () => {
  const { page, gateway, complaints } = await openConsole({ gateway: { journal: { texts: true } } });
  const markup = "<img src=x onerror=alert(1)>";
  const content = `CANARY ${markup} sim:say=${markup}`;
  await gateway.client.chat.completions.create({
    model: "kimi",
    messages: [
      { role: "user", content: "first" },
      { role: "assistant", content: "one" },
      { role: "user", content },
    ],
  });
  await goTo(page, "requests");
  const notice = page.getByRole("alert").filter({ hasText: '"journal": { "texts": false }' });
  await notice.waitFor();
  await page
    .getByRole("row", { name: /Succeeded test/ })
    .getByRole("link")
    .click();
  await notice.waitFor();
  const prompt = page.getByRole("region", { name: "Prompt" });
  expect(await prompt.textContent()).toBe(content);
  expect(await page.getByRole("region", { name: "Answer" }).textContent()).toContain(markup);
  await page.getByText("after 2 earlier messages").waitFor();
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test("10,000 requests scroll to the oldest, while the page holds only those in view", async () => {
  const { page, gateway } = await openConsole();
  const newest = Date.now();
  const entries = Array.from({ length: 10_000 }, (_, index) => ({
    day: "2026-11-29",
    entry: {
      id: `req_${index}`,
      endedAt: newest - (10_000 - index) * 1_000,
      duration: 100,
      method: "POST",
      route: "/v1/chat/completions",
      status: 200,
      key: index === 0 ? "the-oldest" : "test",
      model: "kimi",
      attempts: 1,
    },
  }));
  await gateway.store.journal.addEntries(entries);
  await goTo(page, "requests");
  const oldest = page.getByRole("row", { name: /the-oldest/ });
  await expect
    .poll(
      async () => {
        await page.evaluate(`document.querySelector(".request-scroller")?.scrollTo(0, 1e9)`);
        return oldest.count();
      },
      { timeout: 40_000, interval: 50 },
    )
    .toBe(1);
  expect(await page.getByRole("row").count()).toBeLessThan(100);
});
