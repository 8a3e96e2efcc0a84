import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openConsole } from "./open-console.js";

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate<string>(
      `(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()`,
    );
    if (focused === name) return;
  }
  throw new Error(`Tab does not reach “${name}”.`);
}

test("everything for a first answer and for a key can be reached by keyboard alone", async () => {
  const { page } = await openConsole();
  await tabTo(page, "Chat");
  await page.keyboard.press("Enter");
  await page.getByLabel("Your message").waitFor();
  await tabTo(page, "Your message");
  await page.keyboard.type("sim:say=CANARY-keyboard");
  await page.keyboard.press("Enter");
  await page.locator(".answer .markdown").getByText("CANARY-keyboard").waitFor();

  await page.reload();
  await page.getByLabel("Your message").waitFor();
  await tabTo(page, "Go to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement?.id")).toBe("content");

  await page.reload();
  await page.getByLabel("Your message").waitFor();
  await tabTo(page, "Keys");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "API keys" }).waitFor();
  await tabTo(page, "Make a key");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "The key “keyboard”" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("row", { name: /keyboard/ }).waitFor();
});
