import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { createTemporaryFolder, programPath, runMoonbridge, writeConfig } from "./process.js";

const fixtures = new URL("../fixtures/tls/", import.meta.url).pathname;
const tls = { certificate: `${fixtures}one-certificate.pem`, key: `${fixtures}one-key.pem` };

test("a server with a certificate prints its HTTPS address, and health and doctor find it there", async () => {
  const folder = createTemporaryFolder();
  const config = (port: number) =>
    writeConfig(folder, { server: { port, tls }, upstreams: [{ name: "me", kind: "simulator" }] });
  config(0);
  const program = runMoonbridge([], folder);
  const url = await program.ready;
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(program.output()).toContain(`curl -kN ${url}/v1/chat/completions`);
  config(Number(new URL(url).port));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [programPath, ...args], { cwd: folder, encoding: "utf8" });
  expect(run("health")).toMatchObject({ status: 0, stdout: `Moonbridge answers at ${url}.\n` });
  const { stdout } = run("doctor", "--offline");
  expect(stdout).toMatch(new RegExp(`a Moonbridge \\S+ answers at ${url}`));
});

test("a certificate without its key stops the start with a sentence", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, { server: { port: 0, tls: { ...tls, key: `${fixtures}other-key.pem` } } });
  const program = runMoonbridge([], folder);
  expect(await program.exit).toBe(1);
  expect(program.log()).toMatch(
    /server\.tls\.key: .*other-key\.pem does not belong to the first certificate/,
  );
});
