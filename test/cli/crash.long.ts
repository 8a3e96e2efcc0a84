import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { openStore } from "../../src/store/open-store.js";
import { listKimiChats } from "../conversations/dialogue.js";
import { createTemporaryFolder, type MoonbridgeProcess, runMoonbridge, writeConfig } from "./process.js";

type Message = { role: string; content: string };

const key = "sk-CANARY";

/** Creates a folder with a config that has an account on this simulator. */
function createConfiguredFolder(simulator: Simulator): string {
  const folder = createTemporaryFolder();
  const upstream = {
    name: "me",
    kind: "kimi-web",
    baseUrl: simulator.url,
    authUrl: simulator.url,
    ...simulator.issue(),
  };
  writeConfig(folder, { token: key, upstreams: [upstream] });
  return folder;
}

/** Makes all chats in this folder's store due for deletion. */
async function makeChatsDue(folder: string): Promise<void> {
  const store = await openStore({
    store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
    encryptionKeys: [],
  });
  for (const { upstream, chat } of await store.listDueChats(["me"], Number.MAX_SAFE_INTEGER, 100)) {
    await store.postponeChat(upstream, chat, 0);
  }
  await store.close();
}

const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function sendChat(url: string, messages: readonly Message[], stream: boolean): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "kimi", stream, messages }),
  });
}

/** When the process is killed during a turn: prompt of the turn, and what to wait for before the kill. */
const moments: [
  moment: string,
  prompt: string,
  wait: (program: MoonbridgeProcess, answer: Promise<Response>) => Promise<unknown>,
][] = [
  ["before Kimi has answered", "sim:fault=slow-start,400", () => delay(150)],
  [
    "at the first delta",
    "sim:slow=20 sim:repeat=50",
    async (_program, answer) => (await answer).body?.getReader().read(),
  ],
  [
    "in the middle of the answer",
    "sim:slow=20 sim:repeat=50",
    (_program, answer) => answer.then(() => delay(300)),
  ],
  ["right after the end of the answer", "sim:repeat=3", async (_program, answer) => (await answer).text()],
];

describe("kill -9 during a turn", () => {
  test.each(moments)(
    "%s leaves the conversation intact and every chat known for deletion",
    async (_moment, prompt, wait) => {
      const simulator = await startSimulator();
      const folder = createConfiguredFolder(simulator);
      const first = runMoonbridge(["--port", "0"], folder);
      const url = await first.ready;
      const history: Message[] = [{ role: "user", content: "one sim:recall" }];
      const firstAnswer = JSON.parse(await (await sendChat(url, history, false)).text());
      history.push({ role: "assistant", content: firstAnswer.choices[0].message.content });

      const interrupted = sendChat(url, [...history, { role: "user", content: prompt }], true);
      interrupted.catch(() => {});
      await wait(first, interrupted);
      first.kill("SIGKILL");
      await first.exit;

      const second = runMoonbridge(["--port", "0"], folder);
      const answer = await sendChat(
        await second.ready,
        [...history, { role: "user", content: "two sim:recall" }],
        false,
      );
      expect(JSON.parse(await answer.text()).choices[0].message.content).toBe("one sim:recall");
      second.kill("SIGTERM");
      expect(await second.exit).toBe(0);

      // Every chat on Kimi's side is in the store, and is deleted when it is due.
      expect((await listKimiChats(simulator)).length).toBeGreaterThan(0);
      await makeChatsDue(folder);
      const third = runMoonbridge(["--port", "0"], folder);
      await third.ready;
      await expect.poll(() => listKimiChats(simulator), { timeout: 10_000 }).toEqual([]);
      await simulator.close();
    },
  );
});

test("two processes with the same store refresh expired tokens only once", async () => {
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  const folder = createConfiguredFolder(simulator);
  const [first, second] = [runMoonbridge(["--port", "0"], folder), runMoonbridge(["--port", "0"], folder)];
  const urls = await Promise.all([first.ready, second.ready]);
  simulator.expireAccessTokens();
  simulator.faultRefresh({ delayMilliseconds: 300 });
  const messages: Message[] = [{ role: "user", content: "hello" }];
  const answers = await Promise.all([...urls, ...urls].map((url) => sendChat(url, messages, false)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(simulator.counts().refreshes).toBe(1);
  await simulator.close();
});
