import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, type MoonbridgeProcess, runMoonbridge, writeConfig } from "../cli/process.js";
import { chatBody, waitUntil } from "../gateway.js";

const warning = "renewed tokens could not be stored";
const key = "sk-CANARY-of-more-than-32-characters";

/** Sets the largest file that a running process may write: with 0 every write to a file fails, as on a full disk. */
async function limitFileSize(pid: number, bytes: 0 | "unlimited"): Promise<void> {
  const command = 'prlimit --pid "$0" --fsize="$1:unlimited"';
  const child = spawn("sh", ["-c", command, String(pid), String(bytes)], { stdio: "ignore" });
  expect(await once(child, "close")).toEqual([0, null]);
}

/** An account at a Kimi that accepts each refresh token once. */
async function startAccount(): Promise<{ simulator: Simulator; folder: string }> {
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  onTestFinished(() => simulator.close());
  const folder = createTemporaryFolder();
  const { url } = simulator;
  const tokens = simulator.issue();
  const account = { name: "me", kind: "kimi-web", baseUrl: url, authUrl: url, ...tokens };
  writeConfig(folder, { token: key, server: { port: 0 }, upstreams: [account] });
  return { simulator, folder };
}

async function postChat(program: MoonbridgeProcess): Promise<Response> {
  return fetch(`${await program.ready}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(chatBody("sim:say=hello")),
  });
}

test.skipIf(process.platform !== "linux").each([0, 12])(
  "a login renewed while the disk was full for %i s is warned of, and survives kill -9 soon after there is room",
  async (seconds) => {
    const { simulator, folder } = await startAccount();
    const program = runMoonbridge([], folder);
    await program.ready;
    await limitFileSize(program.pid, 0);
    simulator.expireAccessTokens();
    await (await postChat(program)).text();
    expect(simulator.counts().refreshes).toBe(1);
    await waitUntil(() => program.log().includes(warning));
    await sleep(seconds * 1_000);
    expect(program.log().split(warning)).toHaveLength(2);

    await limitFileSize(program.pid, "unlimited");
    await sleep(3_000);
    program.kill("SIGKILL");
    await program.exit;
    const restarted = runMoonbridge([], folder);
    expect((await postChat(restarted)).status).toBe(200);
  },
  60_000,
);
