import { expect, test } from "vitest";
import { openStore } from "../../src/store/open-store.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

async function run(folder: string, ...args: string[]) {
  const program = runMoonbridge(args, folder);
  const code = await program.exit;
  return { code, output: program.output(), errors: program.log() };
}

test("accounts rename gives an account of the store another name, and says what is wrong with one", {
  timeout: 60_000,
}, async () => {
  const folder = createTemporaryFolder();
  const database = `${folder}/state.db`;
  writeConfig(folder, { store: `sqlite:${database}`, modelAliases: { quick: "kimi/kimi" } });
  const store = await openStore({ store: { kind: "sqlite", path: database }, encryptionKeys: [] });
  const site = { baseUrl: "http://127.0.0.1:1", authUrl: "http://127.0.0.1:1" };
  const current = { accessToken: "CANARY-access", refreshToken: "CANARY-refresh" };
  await store.saveCredentials("kimi", { current, startedFrom: "login", savedAt: 1, site });
  await store.close();
  const unknown = await run(folder, "accounts", "rename", "nobody", "home");
  expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining("no account “nobody”")]);
  const renamed = await run(folder, "accounts", "rename", "kimi", "home");
  expect([renamed.code, renamed.output]).toEqual([0, expect.stringContaining("“kimi” is now “home”")]);
  expect(renamed.errors).toContain("modelAliases.quick");
  expect(JSON.parse((await run(folder, "accounts", "--json")).output)).toMatchObject([{ name: "home" }]);
});
