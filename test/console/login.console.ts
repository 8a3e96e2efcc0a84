import { expect, test } from "vitest";
import { apiKey, startGateway } from "../gateway.js";
import { openBrowser } from "./chromium.js";
import { openConsole } from "./open-console.js";

test("the code of the start logs in, leaves the address at once, and works once", async () => {
  const gateway = await startGateway();
  const { page, context } = await openBrowser();
  const code = await gateway.createLoginCode();
  await page.goto(`${gateway.url}/#code=${code}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(page.url()).not.toContain("code");

  await context.clearCookies();
  const second = await context.newPage();
  await second.goto(`${gateway.url}/#code=${code}`);
  await second.getByText("The code of this address no longer works").waitFor();
});

test("an admin key logs in; a key without that scope and a wrong one are refused with what to do", async () => {
  const gateway = await startGateway({ keys: [{ name: "chat", key: "sk-CANARY-chat", scopes: ["chat"] }] });
  const { page } = await openBrowser();
  await page.goto(gateway.url);
  for (const key of ["sk-CANARY-chat", "sk-CANARY-wrong"]) {
    await page.getByRole("textbox", { name: "Admin key" }).fill(key);
    await page.keyboard.press("Enter");
    await page.getByText("The login did not work").waitFor();
    await page.getByText("What to do:").waitFor();
    await page.reload();
  }
  await page.getByRole("textbox", { name: "Admin key" }).fill(apiKey);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

test("logging out ends the session, also for a page that is open elsewhere", async () => {
  const { page, context, gateway } = await openConsole();
  const second = await context.newPage();
  await second.goto(gateway.url);
  await second.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("textbox", { name: "Admin key" }).waitFor();
  await second.getByRole("link", { name: "Keys" }).click();
  await second.getByRole("textbox", { name: "Admin key" }).waitFor();
});
