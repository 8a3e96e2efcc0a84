import { createServer } from "node:net";
import { expect, test } from "vitest";
import { createApp } from "../../src/app/create-app.js";
import { createLog } from "../../src/observability/log.js";
import { startGateway } from "../gateway.js";
import { openBrowser } from "./chromium.js";
import { goTo } from "./open-console.js";

test("a page that is open while the server restarts says so, and goes on with its login", async () => {
  const first = await startGateway({ server: { port: await freePort() } });
  const { page } = await openBrowser();
  await page.goto(`${first.url}/#code=${await first.createLoginCode()}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await first.stop();
  await page.getByText("The connection to Moonbridge is lost").waitFor();

  const app = await createApp(first.config, createLog("silent", { write: () => {} }), {
    timeouts: undefined,
    recorder: undefined,
    transforms: [],
  });
  const server = await app.listen();
  try {
    await page.getByText("The connection to Moonbridge is lost").waitFor({ state: "detached" });
    await goTo(page, "keys");
    expect(await page.getByRole("alert").count()).toBe(0);
  } finally {
    await server.stop();
    await app.close();
  }
});

/** A port that the restarted server can have again. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
