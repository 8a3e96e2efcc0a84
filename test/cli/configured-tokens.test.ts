import { describe, expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { key, testConfiguredTokens } from "./configured-tokens.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

describe("an account of kind kimi-web answers", () => testConfiguredTokens("kimi-web"));

test("a refresh token that was not copied whole stops the start with the setting's name", async () => {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const folder = createTemporaryFolder();
  const { accessToken, refreshToken } = simulator.issue();
  writeConfig(folder, { token: key, auth_token: accessToken, refresh_token: refreshToken.slice(0, -9) });
  const program = runMoonbridge([], folder);
  expect(await program.exit).toBe(1);
  expect(program.log()).toMatch(/^moonbridge: refresh_token: This token is not whole: its end is missing\./);
  expect(program.log()).not.toContain(refreshToken.slice(0, 9));
});
