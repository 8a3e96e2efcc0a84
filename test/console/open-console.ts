import type { Page } from "playwright-core";
import { type Gateway, type GatewayOptions, startGateway } from "../gateway.js";
import { type Browser, type BrowserOptions, openBrowser } from "./chromium.js";

/** The pages by their paths, with their titles in each language. */
const pages = {
  "": { en: "Overview", zh: "概览" },
  accounts: { en: "Accounts", zh: "账号" },
  chat: { en: "Chat", zh: "对话" },
  keys: { en: "API keys", zh: "API 密钥" },
  clients: { en: "Connect a client", zh: "接入客户端" },
  "clients/codex": { en: "Codex", zh: "Codex" },
  requests: { en: "Requests", zh: "请求记录" },
  usage: { en: "Usage", zh: "用量" },
  health: { en: "Health", zh: "健康检查" },
} as const;

export type PagePath = keyof typeof pages;
export const pagePaths = Object.keys(pages) as PagePath[];

/** A gateway and a browser that has logged in with the code of the start. */
export async function openConsole(
  settings: BrowserOptions & { gateway?: GatewayOptions } = {},
): Promise<Browser & { gateway: Gateway }> {
  const gateway = await startGateway(settings.gateway);
  const browser = await openBrowser(settings);
  await browser.page.goto(`${gateway.url}/#code=${await gateway.createLoginCode()}`);
  await browser.page.locator(".shell-main h1").waitFor();
  return { ...browser, gateway };
}

/** Goes to a page as a link would, and waits for its title. */
export async function goTo(page: Page, path: PagePath): Promise<void> {
  const { en, zh } = pages[path];
  await page.evaluate(`location.hash = "#/${path}"`);
  await page.getByRole("heading", { level: 1, name: new RegExp(`^(${en}|${zh})$`) }).waitFor();
}

/** Writes a message and sends it. */
export async function ask(page: Page, message: string): Promise<void> {
  await page.getByLabel("Your message").fill(message);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}
