import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { chatBody } from "../gateway.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const environment = { MOONBRIDGE_TOKEN: "sk-CANARY" };

async function askModel(url: string, content: string): Promise<string> {
  const headers = { authorization: "Bearer sk-CANARY" };
  const body = JSON.stringify(chatBody(content));
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
  return JSON.parse(await response.text()).choices[0].message.content;
}

test("serve --record, simulate --replay and serve reproduce an answer and its drift, as docs/guide/recording.md says", async () => {
  const kimi = await startSimulator();
  const folder = createTemporaryFolder();
  const account = { name: "me", kind: "kimi-web", baseUrl: kimi.url, authUrl: kimi.url, ...kimi.issue() };
  const config = writeConfig(folder, { upstreams: [account] });
  const recorder = runMoonbridge(
    ["serve", "--port", "0", "--config", config, "--record", "today"],
    folder,
    environment,
  );
  const url = await recorder.ready;
  expect(recorder.output()).toMatch(/^RECORDING .* in today\. Tokens are removed;.*blotted out\.$/m);
  kimi.fault({ kind: "unknown" });
  expect(await askModel(url, "my CANARY is sim:repeat=12")).toMatch(/^1 2 3/);
  recorder.kill("SIGTERM");
  expect(await recorder.exit).toBe(0);
  await kimi.close();
  const recordingFolder = join(folder, "today");
  const recordedFiles = readdirSync(recordingFolder).map((name) =>
    readFileSync(join(recordingFolder, name), "utf8"),
  );
  expect(recordedFiles.length).toBeGreaterThan(1);
  expect(recordedFiles.join("")).not.toMatch(/CANARY|eyJ/);

  const simulator = runMoonbridge(["simulate", "--pace", "0", "--replay", "today"], folder);
  await simulator.ready;
  const replayConfig = writeConfig(
    createTemporaryFolder(),
    /\{[\s\S]*\n\}/.exec(simulator.output())?.[0] ?? "",
  );
  const program = runMoonbridge(
    ["serve", "--port", "0", "--config", replayConfig],
    createTemporaryFolder(),
    environment,
  );
  expect(await askModel(await program.ready, "hello")).toMatch(/^0 0 0/);
  program.kill("SIGTERM");
  await program.exit;
  const driftEntries = (log: string) => log.match(/"kind":"\w+","name":"[^"]+"/g) ?? [];
  expect(driftEntries(program.log())).toContain('"kind":"block","name":"hologram"');
  expect(driftEntries(program.log())).toEqual(driftEntries(recorder.log()));
});

test("--record-texts records prompts and answers, and says so", async () => {
  const folder = createTemporaryFolder();
  const program = runMoonbridge(["--port", "0", "--record", "it", "--record-texts"], folder, environment);
  await askModel(await program.ready, "remember apples");
  expect(program.output()).toMatch(/prompts and answers are KEPT/);
  program.kill("SIGTERM");
  await program.exit;
  const recordedFiles = readdirSync(join(folder, "it")).map((name) =>
    readFileSync(join(folder, "it", name), "utf8"),
  );
  expect(recordedFiles.join("")).toMatch(/remember apples/);
  expect(recordedFiles.join("")).not.toMatch(/eyJ/);
});

test.each([
  [["--record-texts"], /--record-texts goes with --record/],
  [["--record", "config.json"], /--record: config\.json is no folder that can be written to/],
  [["simulate", "--replay", "nowhere"], /--replay: nowhere cannot be read/],
  [["simulate", "--strictness", "model,karaoke"], /--strictness: "karaoke" is none of model, /],
])("%j is refused with a reason", async (args, message) => {
  const folder = createTemporaryFolder();
  writeConfig(folder, {});
  const program = runMoonbridge(args, folder);
  expect(await program.exit).toBe(1);
  expect(program.log()).toMatch(message);
});
