import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { createTemporaryFolder, homeVariables, programPath, runMoonbridge, writeConfig } from "./process.js";

function runHealth(folder: string, args: string[], variables: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, ...homeVariables(folder), ...variables };
  return spawnSync(process.execPath, [programPath, "health", ...args], {
    cwd: folder,
    encoding: "utf8",
    env,
  });
}

test("health succeeds while the server answers, also when its config has become invalid since, and fails after its end", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, { upstreams: [{ name: "me", kind: "simulator" }] });
  const server = runMoonbridge(["--port", "0"], folder);
  const { port, origin } = new URL(await server.ready);
  expect(runHealth(folder, ["--port", port])).toMatchObject({
    status: 0,
    stdout: `Moonbridge answers at ${origin}.\n`,
  });
  writeConfig(folder, "{ not valid");
  const withInvalid = runHealth(folder, [], { PORT: port });
  expect(withInvalid).toMatchObject({ status: 0, stderr: expect.stringContaining("config.json") });
  server.kill("SIGTERM");
  await server.exit;
  expect(runHealth(folder, [], { PORT: port })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("Nothing answers"),
  });
});

test("health waits for a server that starts", async () => {
  const folder = createTemporaryFolder();
  const port = String(20_000 + (process.pid % 20_000));
  const health = runMoonbridge(["health", "--wait", "30", "--port", port], folder);
  const server = runMoonbridge(["--port", port], folder);
  expect(await health.exit).toBe(0);
  await server.ready;
});
