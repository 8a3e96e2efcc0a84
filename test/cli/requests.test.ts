import { expect, test } from "vitest";
import { chatBody } from "../gateway.js";
import { createTemporaryFolder, runMoonbridge } from "./process.js";

async function run(folder: string, ...args: string[]) {
  const program = runMoonbridge(args, folder);
  const code = await program.exit;
  return { code, output: program.output(), log: program.log() };
}

test("requests, usage and accounts show what a running server has answered, and new requests as they end", {
  timeout: 90_000,
}, async () => {
  const folder = createTemporaryFolder();
  const server = runMoonbridge(["--port", "0"], folder);
  const url = await server.ready;
  const key = /sk-moonbridge-[\w-]+/.exec(server.output())?.[0];
  const chat = async (model: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const body = JSON.stringify(chatBody("CANARY sim:say=hello", { model }));
    await (await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })).text();
  };
  await chat("kimi");
  const list = async () => (await run(folder, "requests", "--json")).output;
  await expect.poll(list, { timeout: 20_000, interval: 500 }).toContain('"key":"first"');
  const follower = runMoonbridge(["requests", "--follow"], folder);
  await expect.poll(() => follower.output(), { timeout: 20_000 }).toMatch(/TIME .*\n.* first .* ok /);
  await chat("no-such-model");
  await expect.poll(() => follower.output(), { timeout: 20_000 }).toMatch(/model_not_found/);
  follower.kill("SIGTERM");
  expect(await follower.exit).toBe(0);
  expect(follower.output().match(/ first /g)).toHaveLength(2);

  const failed = await run(folder, "requests", "--failed");
  expect(failed.output.trim().split("\n")).toHaveLength(2);
  const usage = await run(folder, "usage", "--by", "outcome");
  expect(usage.output).toMatch(/^DAY +NAME +REQUESTS[^\n]*\n[\d-]{10} +model_not_found +1 +1 +0 /);
  expect(JSON.parse((await run(folder, "usage", "--json")).output)).toMatchObject([
    { name: "first", requests: 2, failed: 1 },
  ]);
  const accounts = await run(folder, "accounts");
  expect(accounts.output).toMatch(/^NAME +KIND +FROM +STATE[^\n]*\nsimulator +simulator +built-in +ok/);
  for (const { output } of [failed, usage, accounts]) expect(output).not.toContain("CANARY");
});

test("a wrong day or number is refused with what is expected", async () => {
  const folder = createTemporaryFolder();
  for (const args of [
    ["usage", "--from", "yesterday"],
    ["requests", "--limit", "0"],
  ]) {
    const { code, log } = await run(folder, ...args);
    expect([code, log]).toEqual([1, expect.stringContaining("expected a")]);
  }
});

test("the first start prints an address that logs in at the console once; a later one, into no terminal, has no code", async () => {
  const folder = createTemporaryFolder();
  const first = runMoonbridge(["--port", "0"], folder);
  const url = await first.ready;
  const code = /http:\/\/127\.0\.0\.1:\d+\/#code=([\w-]+)/.exec(first.output())?.[1];
  const logIn = async () => {
    const init = { method: "POST", body: JSON.stringify({ code }) };
    return (await fetch(`${url}/v1/admin/sessions`, init)).status;
  };
  expect(await logIn()).toBe(200);
  expect(await logIn()).toBe(401);
  expect(first.log()).not.toContain(code);
  first.kill("SIGTERM");
  await first.exit;
  const second = runMoonbridge(["--port", "0"], folder);
  await second.ready;
  expect(second.output()).toMatch(/Console +http:\/\/127\.0\.0\.1:\d+\/\n/);
  expect(second.output()).not.toContain("#code=");
});
