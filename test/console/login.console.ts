import { expect, test } from "vitest";
import { apiKey, startGateway } from "../gateway.js";
import { consoleClientId, startIssuer } from "../openid-provider.js";
import { accessibilityViolations } from "./accessibility.js";
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

test("the button of the configured issuer logs in; a person without the admin scope is told what is missing", async () => {
  const issuer = await startIssuer();
  const gateway = await startGateway({
    oauth: { issuer: issuer.url, audience: "moonbridge", consoleClientId },
  });
  const { page, complaints } = await openBrowser();
  const button = page.getByRole("link", { name: `Log in with ${new URL(issuer.url).host}` });
  issuer.grantScopes("chat");
  await page.goto(gateway.url);
  await button.click();
  await page.getByText("The login by your identity provider did not work").waitFor();
  await page.getByText("oauth.adminScope").waitFor();
  expect(await page.getByText("does not have the scope").count()).toBe(1);
  expect(page.url()).not.toContain("login-error");
  expect(await accessibilityViolations(page)).toEqual([]);
  issuer.grantScopes("moonbridge:admin");
  await button.click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(complaints).toEqual([]);
});

test("without an issuer for the console there is no such button", async () => {
  const gateway = await startGateway();
  const { page } = await openBrowser();
  const answered = page.waitForResponse((response) => response.url().endsWith("/v1/admin/login"));
  await page.goto(gateway.url);
  await answered;
  await page.getByRole("textbox", { name: "Admin key" }).waitFor();
  expect(await page.getByRole("link").count()).toBe(0);
});
