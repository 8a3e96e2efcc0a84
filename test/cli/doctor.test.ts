import { join } from "node:path";
import { expect, test } from "vitest";
import { SqliteStore } from "../../src/store/sqlite.js";
import { freshFolder, run, writeConfig } from "./process.js";

test("says what is configured, how many chats are due, and exits with 1 where something fails", async () => {
  const folder = freshFolder();
  const store = await SqliteStore.open(join(folder, "moonbridge.db"));
  for (const chat of ["a", "b"]) await store.saveChat({ upstream: "kimi", chat, scope: "s", dueAt: 0 });
  await store.close();

  writeConfig(folder, { token: "x" });
  const well = run(["doctor"], folder);
  expect(await well.exit).toBe(0);
  expect(well.output()).toMatch(/^ok +account simulator: ok: The simulator answers/m);
  expect(well.output()).toMatch(/^ok +chats: 2 are due for deletion/m);

  const claims = Buffer.from(JSON.stringify({ exp: 1 })).toString("base64url");
  writeConfig(folder, { token: "x", auth_token: `Bearer e30.${claims}.x` });
  const ill = run(["doctor"], folder);
  expect(await ill.exit).toBe(1);
  expect(ill.output()).toMatch(/^fail +account kimi: login required: .*Copy access_token and refresh_token/m);
  expect(ill.output()).not.toContain(claims);
});
