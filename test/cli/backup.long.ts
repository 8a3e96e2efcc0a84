import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { backUpStore, openStore } from "../../src/store/open-store.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const key = "sk-CANARY-backup-key";
const conversations = 20;
const turns = 50;

type Message = { role: string; content: string };

async function startKimi(): Promise<Simulator> {
  const simulator = await startSimulator({ cancelMilliseconds: 0 });
  onTestFinished(() => simulator.close());
  return simulator;
}

function writeServerConfig(folder: string, simulator: Simulator, store: string): string {
  const account = { name: "me", kind: "kimi-web", baseUrl: simulator.url, authUrl: simulator.url };
  const upstream = { ...account, ...simulator.issue(), concurrency: 50 };
  return writeConfig(folder, { token: key, upstreams: [upstream], store: `sqlite:${store}` });
}

async function ask(url: string, messages: readonly Message[]): Promise<Message> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "kimi", messages }),
  });
  expect(response.status).toBe(200);
  const { choices } = JSON.parse(await response.text());
  return choices[0].message;
}

async function runBackup(folder: string, copy: string) {
  const program = runMoonbridge(["backup", copy, "--config", join(folder, "config.json")], folder);
  return { code: await program.exit, output: program.output(), log: program.log() };
}

test("a copy made while 1,000 turns are written continues every conversation from where it was", async () => {
  const simulator = await startKimi();
  const folder = createTemporaryFolder();
  writeServerConfig(folder, simulator, join(folder, "moonbridge.db"));
  const server = runMoonbridge(["--port", "0"], folder);
  const url = await server.ready;
  const histories = Array.from({ length: conversations }, (): Message[] => []);
  const running = histories.map(async (messages, conversation) => {
    for (let turn = 0; turn < turns; turn++) {
      const question = { role: "user", content: `sim:say=answer ${conversation}-${turn}` };
      messages.push(question, await ask(url, [...messages, question]));
    }
  });
  await expect
    .poll(() => Math.min(...histories.map(({ length }) => length)), { timeout: 30_000 })
    .toBeGreaterThan(10);
  const before = histories.map((messages) => [...messages]);
  const copy = join(folder, "copy");
  expect(await runBackup(folder, copy)).toMatchObject({ code: 0 });
  expect(Math.min(...histories.map(({ length }) => length))).toBeLessThan(2 * turns);
  await Promise.all(running);
  server.kill("SIGTERM");
  await server.exit;

  const restored = createTemporaryFolder();
  writeServerConfig(restored, simulator, join(copy, "moonbridge.db"));
  const second = runMoonbridge(["--port", "0"], restored);
  const secondUrl = await second.ready;
  await Promise.all(
    before.map((messages) => ask(secondUrl, [...messages, { role: "user", content: "go on" }])),
  );
  second.kill("SIGTERM");
  await second.exit;
  const chats = second
    .log()
    .split("\n")
    .filter((line) => line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line).chat);
  expect(chats).toEqual(before.map(() => "continued"));
}, 60_000);

test("a copy holds the uploaded files, and nobody else can read it", async () => {
  const simulator = await startKimi();
  const folder = createTemporaryFolder();
  writeServerConfig(folder, simulator, join(folder, "moonbridge.db"));
  const server = runMoonbridge(["--port", "0"], folder);
  const url = await server.ready;
  const form = new FormData();
  form.append("purpose", "user_data");
  form.append("file", new Blob(["some text"]), "notes.txt");
  const headers = { authorization: `Bearer ${key}` };
  const uploaded = await fetch(`${url}/v1/files`, { method: "POST", headers, body: form });
  expect(uploaded.status).toBe(200);
  const copy = join(folder, "copy");
  const { code, output } = await runBackup(folder, copy);
  expect(code).toBe(0);
  expect(output).toContain("the uploaded files (1) are in");
  expect(readdirSync(join(copy, "moonbridge-files"))).toHaveLength(1);
  expect(statSync(copy).mode & 0o777).toBe(0o700);
  expect(statSync(join(copy, "moonbridge.db")).mode & 0o777).toBe(0o600);
});

test("a backup is written into a new folder only, of a database that exists", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, { store: "sqlite:./moonbridge.db" });
  const full = join(folder, "full");
  mkdirSync(full);
  writeFileSync(join(full, "file"), "");
  expect(await runBackup(folder, full)).toMatchObject({
    code: 1,
    log: expect.stringContaining("is not empty"),
  });
  const missing = await runBackup(folder, join(folder, "copy"));
  expect(missing).toMatchObject({ code: 1, log: expect.stringContaining("There is no database") });
  expect(readdirSync(folder)).not.toContain("moonbridge.db");
});

test.runIf(process.platform === "linux")(
  "a full disk under the copy is said of the copy, and no part of it stays",
  async () => {
    const folder = createTemporaryFolder();
    const path = join(folder, "moonbridge.db");
    await (await openStore({ store: { kind: "sqlite", path }, encryptionKeys: [] })).close();
    const copy = join(folder, "copy.db");
    symlinkSync("/dev/full", copy);
    const copying = backUpStore({ store: { kind: "sqlite", path } }, copy);
    await expect(copying).rejects.toThrow(`The database ${copy} cannot be written: the disk is full.`);
    expect(readdirSync(folder)).not.toContain("copy.db");
  },
);
