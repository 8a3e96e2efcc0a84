import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { asking } from "../gateway.js";
import { freshFolder, run, writeConfig } from "./process.js";

const environment = { MOONBRIDGE_TOKEN: "sk-CANARY" };

async function ask(url: string, content: string): Promise<string> {
  const headers = { authorization: "Bearer sk-CANARY" };
  const body = JSON.stringify(asking(content));
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
  return JSON.parse(await response.text()).choices[0].message.content;
}

test("the three commands of docs/simulator.md make a test of what Kimi changed", async () => {
  const kimi = await startSimulator();
  const folder = freshFolder();
  const account = { name: "me", kind: "kimi-web", baseUrl: kimi.url, authUrl: kimi.url, ...kimi.issue() };
  const config = writeConfig(folder, { upstreams: [account] });
  const recording = run(
    ["serve", "--port", "0", "--config", config, "--record", "today"],
    folder,
    environment,
  );
  const url = await recording.ready;
  expect(recording.output()).toMatch(/^RECORDING .* in today\. Tokens are removed;.*blotted out\.$/m);
  kimi.fault({ kind: "unknown" });
  expect(await ask(url, "my CANARY is sim:repeat=12")).toMatch(/^1 2 3/);
  recording.kill("SIGTERM");
  expect(await recording.exit).toBe(0);
  await kimi.close();
  const today = join(folder, "today");
  const recorded = readdirSync(today).map((name) => readFileSync(join(today, name), "utf8"));
  expect(recorded.length).toBeGreaterThan(1);
  expect(recorded.join("")).not.toMatch(/CANARY|eyJ/);

  const replay = run(["simulate", "--pace", "0", "--replay", "today"], folder);
  await replay.ready;
  const replayed = writeConfig(freshFolder(), /\{[\s\S]*\n\}/.exec(replay.output())?.[0] ?? "");
  const program = run(["serve", "--port", "0", "--config", replayed], freshFolder(), environment);
  expect(await ask(await program.ready, "hello")).toMatch(/^0 0 0/);
  program.kill("SIGTERM");
  await program.exit;
  const drift = (log: string) => log.match(/"kind":"\w+","name":"[^"]+"/g) ?? [];
  expect(drift(program.log())).toContain('"kind":"block","name":"hologram"');
  expect(drift(program.log())).toEqual(drift(recording.log()));
});

test("--record-texts keeps what was said, and says so", async () => {
  const folder = freshFolder();
  const program = run(["--port", "0", "--record", "it", "--record-texts"], folder, environment);
  await ask(await program.ready, "remember apples");
  expect(program.output()).toMatch(/prompts and answers are KEPT/);
  program.kill("SIGTERM");
  await program.exit;
  const recorded = readdirSync(join(folder, "it")).map((name) =>
    readFileSync(join(folder, "it", name), "utf8"),
  );
  expect(recorded.join("")).toMatch(/remember apples/);
  expect(recorded.join("")).not.toMatch(/eyJ/);
});

test.each([
  [["--record-texts"], /--record-texts goes with --record/],
  [["--record", "config.json"], /--record: config\.json is no folder that can be written to/],
  [["simulate", "--replay", "nowhere"], /--replay: nowhere cannot be read/],
])("%j is refused", async (args, message) => {
  const folder = freshFolder();
  writeConfig(folder, {});
  const program = run(args, folder);
  expect(await program.exit).toBe(1);
  expect(program.log()).toMatch(message);
});
