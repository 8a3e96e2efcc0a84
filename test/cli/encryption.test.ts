import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { chatBody } from "../gateway.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

test("refreshed tokens are encrypted on disk and survive kill -9; without the key the program does not start", {
  timeout: 90_000,
}, async () => {
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  const folder = createTemporaryFolder();
  const upstream = { name: "me", kind: "kimi-web", baseUrl: simulator.url, authUrl: simulator.url };
  const tokens = simulator.issue({ accessSeconds: 0 });
  writeConfig(folder, { token: "sk-CANARY", upstreams: [{ ...upstream, ...tokens }] });
  const environment = { MOONBRIDGE_ENCRYPTION_KEY: randomBytes(32).toString("base64") };

  for (let run = 1; run <= 2; run++) {
    const program = runMoonbridge(["--port", "0"], folder, environment);
    const response = await fetch(`${await program.ready}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer sk-CANARY" },
      body: JSON.stringify(chatBody("hello")),
    });
    expect(response.status).toBe(200);
    program.kill("SIGKILL");
    await program.exit;
    const files = readdirSync(folder).filter((name) => name.startsWith("moonbridge.db"));
    const bytes = files.map((name) => readFileSync(join(folder, name), "latin1")).join();
    expect(bytes).toContain("sealed-1:");
    expect(bytes).not.toContain(tokens.accessToken.slice(0, 20));
  }
  expect(simulator.counts().refreshes).toBe(1);

  const program = runMoonbridge(["--port", "0"], folder);
  expect(await program.exit).toBe(1);
  expect(program.log()).toMatch(/^moonbridge: The database's logins are sealed.*MOONBRIDGE_ENCRYPTION_KEY/);
  const withInvalidKey = runMoonbridge(["--port", "0"], folder, { MOONBRIDGE_ENCRYPTION_KEY: "CANARY" });
  expect(await withInvalidKey.exit).toBe(1);
  expect(withInvalidKey.log()).toMatch(/^moonbridge: MOONBRIDGE_ENCRYPTION_KEY: expected 32 bytes/);
  expect(withInvalidKey.log()).not.toContain("CANARY");
  await simulator.close();
});
