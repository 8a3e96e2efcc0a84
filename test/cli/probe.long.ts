import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import { openStore } from "../../src/store/open-store.js";
import { listKimiChats } from "../conversations/dialogue.js";
import { waitUntil } from "../gateway.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const account = "person-CANARY";

async function startAccount(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ cancelMilliseconds: 0, afterCut: "goes-on", ...options });
  onTestFinished(() => simulator.close());
  const folder = createTemporaryFolder();
  const addresses = { baseUrl: simulator.url, authUrl: simulator.url };
  const config = writeConfig(folder, {
    token: "sk-CANARY-probe-key",
    upstreams: [{ name: account, kind: "kimi-web", ...addresses, ...simulator.issue() }],
    store: "sqlite:./moonbridge.db",
  });
  const run = (...args: string[]) => runMoonbridge([...args, "--config", config], folder);
  return { simulator, folder, run };
}

test("probe --json reports what is missing, names nobody, and leaves no chat", async () => {
  const { simulator, run } = await startAccount({ without: ["long-prompt"], deltaMilliseconds: 3 });
  const probe = run("probe", "--yes", "--pause", "0", "--json");
  expect(await probe.exit).toBe(0);
  const { results } = JSON.parse(probe.output());
  expect(results).toHaveLength(13);
  expect(results).toContainEqual({ name: "long-prompt", outcome: "measured", value: false });
  expect(results).toContainEqual({ name: "old-parent", outcome: "measured", value: true });
  const said = probe.output() + probe.log();
  expect(said).not.toMatch(/CANARY|eyJ|[0-9a-f]{8}-[0-9a-f]{4}-|moon[0-9a-f]{8}|127\.0\.0\.1/);
  expect(await listKimiChats(simulator)).toEqual([]);
});

test("probe sends nothing where nobody can be asked", async () => {
  const { simulator, run } = await startAccount();
  const probe = run("probe");
  expect(await probe.exit).toBe(1);
  expect(probe.log()).toContain("--yes");
  expect(simulator.counts().chats).toBe(0);
});

test("a probe that is killed leaves no chat that Moonbridge does not know and delete", async () => {
  const { simulator, folder, run } = await startAccount({ deltaMilliseconds: 20 });
  const probe = run("probe", "--yes", "--pause", "0");
  await waitUntil(() => simulator.counts().chats >= 3);
  probe.kill("SIGKILL");
  await probe.exit;
  const left = await listKimiChats(simulator);
  expect(left).toHaveLength(1);
  const store = await openStore({
    store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
    encryptionKeys: [],
  });
  const soon = Date.now() + 10 * 60_000;
  expect((await store.listDueChats([account], soon, 10)).map(({ chat }) => chat)).toEqual(left);
  await store.close();
  expect(await run("chats", "purge", "--yes").exit).toBe(0);
  expect(await listKimiChats(simulator)).toEqual([]);
});
