import { expect, test } from "vitest";
import { accessibilityViolations } from "./accessibility.js";
import { goTo, openConsole, pagePaths } from "./open-console.js";

const looks = [
  { scheme: "light", language: "en", width: 1280 },
  { scheme: "dark", language: "zh", width: 1280 },
  { scheme: "light", language: "zh", width: 375 },
  { scheme: "dark", language: "en", width: 375 },
] as const;

test.each(looks)(
  "every page is accessible, keeps its policy and fits: $scheme, $language, $width px",
  async (look) => {
    const { page, complaints, gateway } = await openConsole({ ...look, height: 800 });
    await gateway.client.chat.completions.create({
      model: "kimi",
      messages: [{ role: "user", content: "CANARY" }],
    });
    for (const path of pagePaths) {
      await goTo(page, path);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      expect([path, await accessibilityViolations(page)]).toEqual([path, []]);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, overflow]).toEqual([path, 0]);
    }
    expect(complaints).toEqual([]);
  },
);

test("the login is accessible, and its first page has at most 300 KB", async () => {
  const { page, context } = await openConsole();
  await context.clearCookies();
  let bytes = 0;
  page.on("response", async (response) => {
    const { responseBodySize } = await response.request().sizes();
    bytes += responseBodySize;
  });
  await page.reload();
  await page.getByRole("textbox", { name: "Admin key" }).waitFor();
  await page.waitForLoadState("networkidle");
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(300 * 1_024);
});

test("language and colours are switched, and stay after a reload", async () => {
  const { page } = await openConsole();
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitem", { name: "中文" }).click();
  await page.getByRole("heading", { name: "概览" }).waitFor();
  await page.getByRole("button", { name: "配色" }).click();
  await page.getByRole("menuitem", { name: "深色" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "概览" }).waitFor();
  expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
  expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("dark");
});
