import { expect, test } from "vitest";
import { startGateway } from "../gateway.js";
import { accessibilityViolations } from "./accessibility.js";
import { openBrowser } from "./chromium.js";

test.each(["light", "dark"] as const)(
  "the first page breaks no rule of accessibility or policy, %s",
  async (scheme) => {
    const gateway = await startGateway();
    const { page, complaints } = await openBrowser({ scheme });
    await page.goto(gateway.url);
    await page.getByText("Moonbridge").first().waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  },
);
