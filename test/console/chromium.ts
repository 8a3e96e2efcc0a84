import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const options = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const reportPolicyViolations = `
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
    console.error("policy violation: " + violatedDirective + " " + blockedURI + " " + sample));
`;

export type Browser = {
  context: BrowserContext;
  page: Page;
  /** What the page must never do: violations of its policy, uncaught errors, requests that leave this machine. */
  complaints: string[];
};

export type BrowserOptions = {
  language?: "en" | "zh";
  scheme?: "light" | "dark";
  width?: number;
  height?: number;
  /** Answers requests for these origins, which would leave the machine otherwise: HTML by origin. */
  sites?: Record<string, string>;
};

/** A Chromium with a profile of its own, which ends with the test. It reaches nothing but this machine. */
export async function openBrowser(settings: BrowserOptions = {}): Promise<Browser> {
  const { language = "en", scheme = "light", width = 1280, height = 800, sites = {} } = settings;
  const profile = mkdtempSync(join(tmpdir(), "moonbridge-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: options,
    locale: language === "zh" ? "zh-CN" : "en-GB",
    colorScheme: scheme,
    viewport: { width, height },
    permissions: ["clipboard-read", "clipboard-write"],
    acceptDownloads: true,
  });
  onTestFinished(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const complaints: string[] = [];
  await context.route("**/*", async (route) => {
    const { origin, hostname } = new URL(route.request().url());
    const html = sites[origin];
    if (html !== undefined) return route.fulfill({ contentType: "text/html", body: html });
    if (["127.0.0.1", "localhost"].includes(hostname)) return route.continue();
    complaints.push(`request to ${origin}`);
    return route.abort();
  });
  await context.addInitScript({ content: reportPolicyViolations });
  const watch = (page: Page) => {
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (/policy/i.test(message.text())) complaints.push(message.text());
    });
  };
  context.on("page", watch);
  const page = context.pages()[0] ?? (await context.newPage());
  watch(page);
  page.setDefaultTimeout(10_000);
  return { context, page, complaints };
}
