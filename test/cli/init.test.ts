import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTemporaryFolder, runMoonbridge } from "./process.js";

async function init(folder: string, ...args: string[]) {
  const program = runMoonbridge(["init", ...args], folder);
  return { code: await program.exit, output: program.output(), log: program.log() };
}

test("moonbridge init writes a config that its owner alone can read, and leaves one that exists", async () => {
  const folder = createTemporaryFolder();
  const path = join(folder, "config.json");
  expect(await init(folder)).toMatchObject({ code: 0, output: expect.stringContaining(`Wrote ${path}`) });
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
  const written = readFileSync(path, "utf8");
  const again = await init(folder);
  expect(again).toMatchObject({ code: 1, output: "" });
  expect(again.log).toContain(`${path} exists already and is left as it is.`);
  expect(readFileSync(path, "utf8")).toBe(written);

  const server = runMoonbridge(["--port", "0"], folder);
  await server.ready;
  expect(server.output()).toContain(path);
});

test("moonbridge init writes the named file, or says why it cannot", async () => {
  const folder = createTemporaryFolder();
  expect((await init(folder, "--config", "mine.json")).output).toContain("moonbridge --config mine.json");
  const { code, log } = await init(folder, "--config", "nowhere/mine.json");
  expect(code).toBe(1);
  expect(log).toMatch(/nowhere\/mine\.json cannot be written \(ENOENT\)\. Choose another file/);
});
