import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { chatsOnKimi } from "../conversations/dialogue.js";
import { freshFolder, type Moonbridge, run, writeConfig } from "./process.js";

type Said = { role: string; content: string };

const key = "sk-CANARY";

/** A folder whose Moonbridge speaks to this simulator. */
function folderFor(simulator: Simulator): string {
  const folder = freshFolder();
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

/** Makes a day pass for the chats in this folder's store. */
async function ageChats(folder: string): Promise<void> {
  const store = await SqliteStore.open(join(folder, "moonbridge.db"));
  for (const { upstream, chat } of await store.dueChats(["me"], Number.MAX_SAFE_INTEGER, 100)) {
    await store.postponeChat(upstream, chat, 0);
  }
  await store.close();
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function send(url: string, messages: readonly Said[], stream: boolean): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "kimi", stream, messages }),
  });
}

/** Where in a turn the process is killed. */
const moments: [
  moment: string,
  prompt: string,
  wait: (program: Moonbridge, answer: Promise<Response>) => Promise<unknown>,
][] = [
  ["before Kimi has answered", "sim:fault=slow-start,400", () => pause(150)],
  [
    "at the first word",
    "sim:slow=20 sim:repeat=50",
    async (_program, answer) => (await answer).body?.getReader().read(),
  ],
  ["in the middle", "sim:slow=20 sim:repeat=50", (_program, answer) => answer.then(() => pause(300))],
  ["right after the end", "sim:repeat=3", async (_program, answer) => (await answer).text()],
];

describe("kill -9 at any point of a turn", () => {
  test.each(moments)(
    "%s: the next turn is right, and no chat is forgotten",
    async (_moment, prompt, wait) => {
      const simulator = await startSimulator();
      const folder = folderFor(simulator);
      const first = run(["--port", "0"], folder);
      const url = await first.ready;
      const history: Said[] = [{ role: "user", content: "one sim:recall" }];
      const opening = JSON.parse(await (await send(url, history, false)).text());
      history.push({ role: "assistant", content: opening.choices[0].message.content });

      const dying = send(url, [...history, { role: "user", content: prompt }], true);
      dying.catch(() => {});
      await wait(first, dying);
      first.kill("SIGKILL");
      await first.exit;

      const second = run(["--port", "0"], folder);
      const answer = await send(
        await second.ready,
        [...history, { role: "user", content: "two sim:recall" }],
        false,
      );
      expect(JSON.parse(await answer.text()).choices[0].message.content).toBe("one sim:recall");
      second.kill("SIGTERM");
      expect(await second.exit).toBe(0);

      // All that exists on Kimi's side is known here, and goes when its time has come.
      expect((await chatsOnKimi(simulator)).length).toBeGreaterThan(0);
      await ageChats(folder);
      const third = run(["--port", "0"], folder);
      await third.ready;
      await expect.poll(() => chatsOnKimi(simulator), { timeout: 10_000 }).toEqual([]);
      await simulator.close();
    },
  );
});

test("two processes on one store make one refresh between them", async () => {
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  const folder = folderFor(simulator);
  const [first, second] = [run(["--port", "0"], folder), run(["--port", "0"], folder)];
  const urls = await Promise.all([first.ready, second.ready]);
  simulator.expireAccessTokens();
  simulator.faultRefresh({ delayMilliseconds: 300 });
  const question: Said[] = [{ role: "user", content: "hello" }];
  const answers = await Promise.all([...urls, ...urls].map((url) => send(url, question, false)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(simulator.counts().refreshes).toBe(1);
  await simulator.close();
});
