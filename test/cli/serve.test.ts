import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { asking, chunksOf, textOf } from "../gateway.js";
import { freshFolder, run, writeConfig } from "./process.js";

function ask(
  url: string,
  key: string,
  content: string,
  more: Record<string, unknown> = {},
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(asking(content, more)),
  });
}

describe("the very first start, without account or config", () => {
  test("makes a key, says that the simulator answers, and answers; the key stays good", async () => {
    const folder = freshFolder();
    const first = run(["--port", "0"], folder);
    const url = await first.ready;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(first.output()).toMatch(/No Kimi account is connected: the built-in SIMULATOR answers/);
    const key = /^API key .*: (sk-moonbridge-\S+)$/m.exec(first.output())?.[1] ?? "";
    expect(first.output()).toContain(`curl -N ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}'`);
    expect(first.output().match(/^listening on /gm)?.length).toBe(1);

    expect(await (await ask(url, key, "hello")).json()).toMatchObject({
      model: "kimi (simulator)",
      choices: [{ message: { content: expect.stringMatching(/Simulated/) } }],
    });
    const models = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    const { data } = JSON.parse(await models.text());
    expect(data[0]).toMatchObject({
      owned_by: "moonbridge-simulator",
      name: expect.stringMatching(/simulat/),
    });

    const files = readdirSync(folder);
    expect(files).toContain("moonbridge.db");
    for (const file of files) {
      expect(file).toMatch(/^moonbridge\.db(-wal|-shm)?$/);
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, file), "latin1")).not.toContain(key);
    }
    first.kill("SIGTERM");
    expect(await first.exit).toBe(0);

    const second = run(["--port", "0"], folder);
    expect((await ask(await second.ready, key, "hello")).status).toBe(200);
    expect(second.output()).not.toContain("sk-moonbridge");
  });
});

describe("what cannot start says why and exits with 1", () => {
  test.each<[string, string[], unknown, RegExp]>([
    [
      "a mistake in the config",
      [],
      { server: { prot: 1 } },
      /^moonbridge: server\.prot: there is no such setting\.\n$/,
    ],
    ["a missing config", ["--config", "nowhere.json"], {}, /nowhere\.json: there is no such file/],
    ["the whole world without a key", ["--host", "0.0.0.0"], {}, /only with an API key of yours/],
    [
      "a strange address",
      ["--host", "203.0.113.7"],
      { token: "x" },
      /203\.0\.113\.7 is no address of this machine/,
    ],
    ["a damaged database", [], { store: "sqlite:./config.json" }, /config\.json/],
  ])("%s", async (_name, args, config, message) => {
    const folder = freshFolder();
    writeConfig(folder, config);
    const program = run(args, folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(message);
  });

  test("a port that is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const folder = freshFolder();
    const program = run(["--port", String(port)], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toContain(`Port ${port} is in use`);
    // No key was used up that nobody has seen.
    const next = run(["--port", "0"], folder);
    await next.ready;
    expect(next.output()).toContain("API key (shown once");
    other.close();
  });

  test("a port that is none is commander's to refuse", async () => {
    const program = run(["--port", "70000"], freshFolder());
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/expected a port from 0 to 65535/);
  });
});

describe("stopping", () => {
  test("lets streams finish, then exits with 0", async () => {
    const program = run(["--port", "0"], freshFolder(), { MOONBRIDGE_TOKEN: "sk-CANARY" });
    const url = await program.ready;
    const response = await ask(url, "sk-CANARY", "sim:slow=20 sim:repeat=30", { stream: true });
    program.kill("SIGTERM");
    const chunks = chunksOf(await response.text());
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(textOf(chunks)).toContain("30");
    expect(await program.exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("ends what does not finish in time with an error event", async () => {
    const environment = { MOONBRIDGE_TOKEN: "sk-CANARY", MOONBRIDGE_SERVER_SHUTDOWN_SECONDS: "0" };
    const program = run(["--port", "0"], freshFolder(), environment);
    const response = await ask(await program.ready, "sk-CANARY", "sim:slow=20 sim:repeat=5000", {
      stream: true,
    });
    program.kill("SIGTERM");
    expect(chunksOf(await response.text()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
    expect(await program.exit).toBe(0);
  });
});

test("a rotated login survives kill -9 right after its first use", async () => {
  // The old refresh token dies at once, so only what was stored can help.
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  const folder = freshFolder();
  writeConfig(folder, {
    token: "sk-CANARY",
    upstreams: [
      {
        name: "me",
        kind: "kimi-web",
        baseUrl: simulator.url,
        authUrl: simulator.url,
        ...simulator.issue({ accessSeconds: 0 }),
      },
    ],
  });
  for (let life = 1; life <= 3; life++) {
    const program = run(["--port", "0"], folder);
    const response = await ask(await program.ready, "sk-CANARY", "hello", { stream: true });
    program.kill("SIGKILL");
    await response.text().catch(() => {});
    expect(response.status).toBe(200);
    await program.exit;
    expect(simulator.counts().refreshes).toBe(life);
    simulator.expireAccessTokens();
  }
  await simulator.close();
});

test("moonbridge simulate prints a config that connects to it", async () => {
  const simulator = run(["simulate", "--pace", "0"], freshFolder());
  const simulated = await simulator.ready;
  const config = /\{[\s\S]*\n\}/.exec(simulator.output())?.[0] ?? "";
  const folder = freshFolder();
  writeConfig(folder, { token: "sk-CANARY", ...JSON.parse(config) });
  const program = run(["--port", "0"], folder);
  const answer = await (await ask(await program.ready, "sk-CANARY", "sim:say=connected")).json();
  expect(answer).toMatchObject({ model: "kimi", choices: [{ message: { content: "connected" } }] });
  expect(simulated).toMatch(/^http:/);
  simulator.kill("SIGTERM");
  expect(await simulator.exit).toBe(0);
});
