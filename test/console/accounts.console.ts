import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { capabilityAccount } from "../../src/accounts/account-capabilities.js";
import { currentUser } from "../conversations/measured-account.js";
import { startGateway } from "../gateway.js";
import { accessibilityViolations } from "./accessibility.js";
import { openBrowser } from "./chromium.js";
import { goTo, openConsole } from "./open-console.js";

const kimi = "https://www.kimi.com";

/** A page of Kimi's that holds these tokens in its Local storage. */
function kimiPage({ accessToken = "", refreshToken = "" }: { accessToken?: string; refreshToken?: string }) {
  return `<!doctype html><title>Kimi</title><script>
    localStorage.setItem("access_token", ${JSON.stringify(accessToken)});
    localStorage.setItem("refresh_token", ${JSON.stringify(refreshToken)});
  </script>`;
}

/** The line for the developer tools, as the page Accounts offers it. */
async function handOverLine(page: Page): Promise<string> {
  await goTo(page, "accounts");
  await page.getByRole("tab", { name: "From kimi.com" }).click();
  return (await page.getByRole("region", { name: "Line for the console of kimi.com" }).textContent()) ?? "";
}

test("pasted tokens are recognised, checked with Kimi, and in use at once", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "accounts");
  const { accessToken, refreshToken } = gateway.simulator.issue();
  await page
    .getByLabel(/Tokens, or anything/)
    .fill(JSON.stringify({ access_token: accessToken, refresh_token: refreshToken }));
  await page.getByLabel("Name in Moonbridge").fill("me");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText(/^Connected: .+ \(me\)$/).waitFor();
  const pasted = await page.getByLabel(/Tokens, or anything/).inputValue();
  expect(pasted).toBe("");
});

test("text without a login is refused, and the page says what it is", async () => {
  const { page } = await openConsole();
  await goTo(page, "accounts");
  await page.getByLabel(/Tokens, or anything/).fill("CANARY, nothing of Kimi's");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByText("There is no login in this text").waitFor();
});

test("a HAR file is read", async () => {
  const { page, gateway } = await openConsole();
  await goTo(page, "accounts");
  await page.getByRole("tab", { name: "HAR file" }).click();
  const { accessToken } = gateway.simulator.issue();
  const headers = [{ name: "authorization", value: `Bearer ${accessToken}` }];
  const entry = { request: { url: `${kimi}/apiv2/kimi.chat.v1.ChatService/ListChats`, headers } };
  await page.locator("input[type=file]").setInputFiles({
    name: "kimi.har",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify({ log: { entries: [entry] } })),
  });
  await page.getByText(/^Connected: .+ \(me\)$/).waitFor();
});

test("Kimi's page hands its login over to /connect, and no address contains it", async () => {
  const gateway = await startGateway();
  const tokens = gateway.simulator.issue();
  const { page, context } = await openBrowser({ sites: { [kimi]: kimiPage(tokens) } });
  await page.goto(`${gateway.url}/#code=${await gateway.createLoginCode()}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const line = await handOverLine(page);

  const outside = await context.newPage();
  await outside.goto(kimi);
  const [opened] = await Promise.all([context.waitForEvent("page"), outside.evaluate(line)]);
  await opened.getByText(/^Connected: .+ \(me\)$/).waitFor();
  expect(opened.url()).toBe(`${gateway.url}/connect#/accounts`);
});

test("a page of another origin cannot hand a login over", async () => {
  const gateway = await startGateway();
  const tokens = gateway.simulator.issue();
  const other = "https://www.kimi.com.outside.example";
  const { page, context } = await openBrowser({ sites: { [other]: kimiPage(tokens) } });
  await page.goto(`${gateway.url}/#code=${await gateway.createLoginCode()}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const line = await handOverLine(page);
  let imports = 0;
  context.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/v1/admin/accounts")) imports++;
  });

  const outside = await context.newPage();
  await outside.goto(other);
  const [opened] = await Promise.all([context.waitForEvent("page"), outside.evaluate(line)]);
  await opened.getByText(`Refused: a page of ${other}`).waitFor();
  expect(imports).toBe(0);
});

test("an account from a login is renamed and removed; a name that is taken is refused with the reason", async () => {
  const { page, gateway } = await openConsole();
  await gateway.replaceConfig({ upstreams: [], modelAliases: { quick: "first/kimi" } });
  const site = { baseUrl: gateway.simulator.url, authUrl: gateway.simulator.url };
  for (const name of ["first", "second"]) {
    const current = gateway.simulator.issue();
    await gateway.store.saveCredentials(name, { current, startedFrom: "login", savedAt: 1, site });
  }
  await goTo(page, "accounts");
  const rename = page.getByRole("button", { name: "Rename", exact: true });
  await rename.first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("New name").fill("second");
  await dialog.getByRole("button", { name: "Rename" }).click();
  await dialog.getByText("There is an account “second” already").waitFor();
  expect(await accessibilityViolations(page)).toEqual([]);
  await dialog.getByLabel("New name").fill("home");
  await dialog.getByRole("button", { name: "Rename" }).click();
  await page.getByText("“first” is now “home”.").waitFor();
  await page.getByText("modelAliases.quick").waitFor();
  await page.getByText("home", { exact: true }).waitFor();
  expect(await gateway.store.listAccounts()).toEqual(["home", "second"]);

  await page.getByRole("button", { name: "Remove", exact: true }).first().click();
  await dialog.getByText("Remove the account “home”?").waitFor();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("“home” is removed. Chats deleted at Kimi: 0, left there: 0.").waitFor();
  expect(await accessibilityViolations(page)).toEqual([]);
  expect(await gateway.store.listAccounts()).toEqual(["second"]);
});

test("an account whose behaviour is not as assumed says so, in words, with what follows", async () => {
  const { page, gateway } = await openConsole();
  const id = JSON.parse(await currentUser(gateway)).user.id;
  const change = { account: capabilityAccount(id), source: "use" as const, changedAt: Date.now() };
  await gateway.store.capabilities.saveCapabilities([{ ...change, name: "old-parent", value: false }]);
  await gateway.replaceUpstreams(gateway.config.upstreams.map((each) => ({ ...each, concurrency: 9 })));
  await goTo(page, "accounts");
  await page.getByText("otherwise than usual in 1 point").click();
  const item = page.getByRole("listitem").filter({ hasText: "old-parent" });
  await item.waitFor();
  const text = await item.textContent();
  expect(text).toMatch(/^Not true · A message can continue after an answer.*Therefore: Chats count as lines/);
  expect(text).toContain("Seen in use");
  expect(await accessibilityViolations(page)).toEqual([]);
});
