import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { chatBody, contentOf, parseChunks } from "../gateway.js";
import { createTemporaryFolder, dataFolder, runMoonbridge, writeConfig } from "./process.js";

function sendChat(
  url: string,
  key: string,
  content: string,
  more: Record<string, unknown> = {},
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(chatBody(content, more)),
  });
}

describe("the first start, without account or config,", () => {
  test("creates an API key that stays valid, and answers from the simulator, as it says", async () => {
    const folder = createTemporaryFolder();
    const first = runMoonbridge(["--port", "0"], folder);
    const url = await first.ready;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(first.output()).toMatch(/No Kimi account is connected: the built-in SIMULATOR answers/);
    const key = /^ {2}API key +(sk-moonbridge-\S+) \(shown once/m.exec(first.output())?.[1] ?? "";
    expect(first.output()).toContain(`curl -N ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}'`);
    expect(first.output().match(/^listening on /gm)?.length).toBe(1);

    expect(await (await sendChat(url, key, "hello")).json()).toMatchObject({
      model: "kimi (simulator)",
      choices: [{ message: { content: expect.stringMatching(/Simulated/) } }],
    });
    const models = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    const { data } = JSON.parse(await models.text());
    expect(data[0]).toMatchObject({
      owned_by: "moonbridge-simulator",
      name: expect.stringMatching(/simulat/),
    });

    const files = readdirSync(dataFolder(folder));
    expect(files).toContain("moonbridge.db");
    for (const file of files) {
      expect(file).toMatch(/^moonbridge\.db(-wal|-shm)?$/);
      expect(statSync(join(dataFolder(folder), file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(dataFolder(folder), file), "latin1")).not.toContain(key);
    }
    first.kill("SIGTERM");
    expect(await first.exit).toBe(0);

    const second = runMoonbridge(["--port", "0"], folder);
    expect((await sendChat(await second.ready, key, "hello")).status).toBe(200);
    expect(second.output()).not.toContain("sk-moonbridge");
  });
});

describe("moonbridge serve says what is wrong and exits with 1", () => {
  test.each<[string, string[], unknown, RegExp]>([
    [
      "an unknown setting in the config",
      [],
      { server: { prot: 1 } },
      /^moonbridge: server\.prot: there is no such setting\.\n$/,
    ],
    ["a missing config", ["--config", "nowhere.json"], {}, /nowhere\.json: there is no such file/],
    ["a public address without an API key", ["--host", "0.0.0.0"], {}, /only with an API key of yours/],
    [
      "an address of another machine",
      ["--host", "203.0.113.7"],
      { token: "x" },
      /203\.0\.113\.7 is no address of this machine/,
    ],
    ["a damaged database", [], { store: "sqlite:./config.json" }, /config\.json/],
  ])("for %s", async (_name, args, config, message) => {
    const folder = createTemporaryFolder();
    writeConfig(folder, config);
    const program = runMoonbridge(args, folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(message);
  });

  test("for a port that is in use", async () => {
    const otherServer = createServer();
    await new Promise<void>((resolve) => otherServer.listen(0, "127.0.0.1", resolve));
    const address = otherServer.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const folder = createTemporaryFolder();
    const program = runMoonbridge(["--port", String(port)], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toContain(`Port ${port} is in use`);
    // The failed start has not created the API key, which is shown only once.
    const nextStart = runMoonbridge(["--port", "0"], folder);
    await nextStart.ready;
    expect(nextStart.output()).toContain("(shown once, only its hash is kept)");
    otherServer.close();
  });

  test("for a further port that is in use", async () => {
    const otherServer = createServer();
    await new Promise<void>((resolve) => otherServer.listen(0, "127.0.0.1", resolve));
    const address = otherServer.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const environment = { MOONBRIDGE_SERVER_ALSO_LISTEN: `0,${port}` };
    const program = runMoonbridge(["--port", "0"], createTemporaryFolder(), environment);
    expect(await program.exit).toBe(1);
    expect(program.log()).toContain(`Port ${port} is in use. Take it out of server.alsoListen.`);
    otherServer.close();
  });

  test("for an invalid port number", async () => {
    const program = runMoonbridge(["--port", "70000"], createTemporaryFolder());
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/expected a port from 0 to 65535/);
  });
});

test("moonbridge serve prints its further addresses, and that programs on this machine need no key", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, { token: "sk-CANARY", server: { port: 0, alsoListen: [0], keylessLoopback: true } });
  const program = runMoonbridge([], folder);
  await program.ready;
  expect(program.output()).toMatch(/^note: every program on this machine can chat without an API key/m);
  const furtherUrl = /^ {2}Address .*, also (http:\/\/127\.0\.0\.1:\d+)$/m.exec(program.output())?.[1];
  expect((await fetch(`${furtherUrl}/v1/models`)).status).toBe(200);
});

describe("moonbridge serve, at SIGTERM,", () => {
  test("lets streams finish, then exits with 0", async () => {
    const program = runMoonbridge(["--port", "0"], createTemporaryFolder(), {
      MOONBRIDGE_TOKEN: "sk-CANARY",
    });
    const url = await program.ready;
    const response = await sendChat(url, "sk-CANARY", "sim:slow=20 sim:repeat=30", { stream: true });
    program.kill("SIGTERM");
    const chunks = parseChunks(await response.text());
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(contentOf(chunks)).toContain("30");
    expect(await program.exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("ends streams that do not finish in time with an error event", async () => {
    const environment = { MOONBRIDGE_TOKEN: "sk-CANARY", MOONBRIDGE_SERVER_SHUTDOWN_SECONDS: "0" };
    const program = runMoonbridge(["--port", "0"], createTemporaryFolder(), environment);
    const response = await sendChat(await program.ready, "sk-CANARY", "sim:slow=20 sim:repeat=5000", {
      stream: true,
    });
    program.kill("SIGTERM");
    expect(parseChunks(await response.text()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
    expect(await program.exit).toBe(0);
  });
});

test("refreshed tokens survive kill -9 right after their first use", async () => {
  // The old refresh token is invalid at once, so only the stored one works.
  const simulator = await startSimulator({ refreshGraceSeconds: 0 });
  const folder = createTemporaryFolder();
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
  for (let run = 1; run <= 3; run++) {
    const program = runMoonbridge(["--port", "0"], folder);
    const response = await sendChat(await program.ready, "sk-CANARY", "hello", { stream: true });
    program.kill("SIGKILL");
    await response.text().catch(() => {});
    expect(response.status).toBe(200);
    await program.exit;
    expect(simulator.counts().refreshes).toBe(run);
    simulator.expireAccessTokens();
  }
  await simulator.close();
});

test("moonbridge simulate at a port in use says so", async () => {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const { port } = new URL(simulator.url);
  const program = runMoonbridge(["simulate", "--port", port], createTemporaryFolder());
  expect(await program.exit).toBe(1);
  expect(program.log()).toBe(`moonbridge: Port ${port} is in use. Choose another with --port.\n`);
});

test("moonbridge simulate prints a config that connects to its simulator", async () => {
  const simulator = runMoonbridge(["simulate", "--pace", "0"], createTemporaryFolder());
  const simulatorUrl = await simulator.ready;
  const config = /\{[\s\S]*\n\}/.exec(simulator.output())?.[0] ?? "";
  const folder = createTemporaryFolder();
  writeConfig(folder, { token: "sk-CANARY", ...JSON.parse(config) });
  const program = runMoonbridge(["--port", "0"], folder);
  const answer = await (await sendChat(await program.ready, "sk-CANARY", "sim:say=connected")).json();
  expect(answer).toMatchObject({ model: "kimi", choices: [{ message: { content: "connected" } }] });
  expect(simulatorUrl).toMatch(/^http:/);
  simulator.kill("SIGTERM");
  expect(await simulator.exit).toBe(0);
});
