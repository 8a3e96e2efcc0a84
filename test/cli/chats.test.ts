import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const key = "sk-CANARY-chats-key";

async function startServer() {
  const simulator = await startSimulator({ cancelMilliseconds: 0 });
  onTestFinished(() => simulator.close());
  const folder = createTemporaryFolder();
  const account = { name: "me", kind: "kimi-web", baseUrl: simulator.url, authUrl: simulator.url };
  writeConfig(folder, {
    token: key,
    upstreams: [{ ...account, ...simulator.issue() }],
    store: "sqlite:./moonbridge.db",
  });
  const server = runMoonbridge(["--port", "0"], folder);
  const url = await server.ready;
  const ask = async (content: string) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: "kimi", messages: [{ role: "user", content }] }),
    });
    expect(response.status).toBe(200);
  };
  const purge = async (...args: string[]) => {
    const config = join(folder, "config.json");
    const program = runMoonbridge(["chats", "purge", "--config", config, ...args], folder);
    return { code: await program.exit, output: program.output(), log: program.log() };
  };
  return { simulator, ask, purge };
}

test("chats purge deletes the chats that Moonbridge made, beside a running server, and says how many", async () => {
  const { simulator, ask, purge } = await startServer();
  for (const word of ["one", "two", "three"]) await ask(word);
  expect(await purge("--yes")).toMatchObject({ code: 0, output: "Chats deleted: 3.\n" });
  expect(deletedChats(simulator)).toHaveLength(3);
  await ask("four");
  expect(await purge("--yes")).toMatchObject({ code: 0, output: "Chats deleted: 1.\n" });
  expect(await purge()).toMatchObject({ code: 0, output: "Moonbridge has no chats at Kimi.\n" });
});

test("chats purge deletes nothing where nobody can be asked", async () => {
  const { simulator, ask, purge } = await startServer();
  await ask("one");
  expect(await purge()).toMatchObject({ code: 1, log: expect.stringContaining("--yes") });
  expect(deletedChats(simulator)).toEqual([]);
});

test("chats that Kimi does not delete are counted as left", async () => {
  const { simulator, ask, purge } = await startServer();
  await ask("one");
  await ask("two");
  await simulator.close();
  expect(await purge("--yes")).toMatchObject({ code: 1, log: expect.stringContaining("Chats left: 2") });
});

function deletedChats({ calls }: Simulator): string[] {
  return calls.map(({ path }) => path).filter((path) => path.endsWith("/DeleteChat"));
}
