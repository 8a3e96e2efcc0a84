import { expect, test } from "vitest";
import { ask, goTo, openConsole, pagePaths } from "./open-console.js";

const hostile = [
  "<script>globalThis.pwned=1</script>",
  "<img src=x onerror=globalThis.pwned=1>",
  "![picture](https://outside.example/pixel.png)",
  "[link](javascript:globalThis.pwned=1)",
  '<a href="javascript:globalThis.pwned=1">a</a>',
  "<iframe src=https://outside.example></iframe>",
  "[ref]: https://outside.example 'title'",
  "<style>body{background:url(https://outside.example/x)}</style>",
].join(" ");

test("Markdown of an answer runs no script and fetches nothing from outside", async () => {
  const { page, complaints } = await openConsole();
  await goTo(page, "chat");
  await ask(page, `sim:say=${hostile}`);
  await page
    .locator(".answer")
    .getByText(/tokens/)
    .waitFor();
  expect(await page.locator(".answer .markdown").textContent()).toContain("<script>");
  expect(await page.locator(".answer img, .answer iframe, .answer [href^='javascript']").count()).toBe(0);
  expect(await page.evaluate("globalThis.pwned")).toBeUndefined();
  expect(complaints).toEqual([]);
});

test("names from outside are shown as text on every page", async () => {
  const name = "<img src=x onerror=globalThis.pwned=1>";
  const { page, complaints, gateway } = await openConsole({
    gateway: { modelAliases: { [name]: "kimi" } },
  });
  await gateway.client.chat.completions
    .create({ model: name, messages: [{ role: "user", content: "CANARY" }] })
    .catch(() => undefined);
  for (const path of pagePaths) await goTo(page, path);
  expect(await page.evaluate("globalThis.pwned")).toBeUndefined();
  expect(complaints).toEqual([]);
});
