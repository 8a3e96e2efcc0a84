import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import type { StoredCredentials } from "../../src/core/store.js";
import { decodeClaims } from "../../src/core/token.js";
import { openStore } from "../../src/store/open-store.js";
import { legacyToken } from "../accounts/import/jwt.js";
import { chatBody, contentOf, parseChunks, waitUntil } from "../gateway.js";
import { createTemporaryFolder, homeVariables, programPath, runMoonbridge, writeConfig } from "./process.js";

async function startKimi(options?: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

const siteOptions = ({ url }: Simulator) => ["--base-url", url, "--auth-url", url];

/** A folder with an empty config, so that the database is beside it. */
function createConfiguredFolder(): string {
  const folder = createTemporaryFolder();
  writeConfig(folder, {});
  return folder;
}

async function readCredentials(folder: string, account = "kimi"): Promise<StoredCredentials | undefined> {
  const store = await openStore({
    store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
    encryptionKeys: [],
  });
  try {
    return await store.findCredentials(account);
  } finally {
    await store.close();
  }
}

/** Fails if the output contains 9 successive characters of a token. */
function expectNoTokenIn(output: string, ...tokens: string[]): void {
  expect(output).not.toBe("");
  for (const token of tokens) {
    for (let start = 0; start + 9 <= token.length; start++)
      expect(output).not.toContain(token.slice(start, start + 9));
  }
}

describe("moonbridge login", () => {
  test("stores both tokens from standard input, after Kimi has accepted them", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken, refreshToken } = simulator.issue({ user: "moon" });
    const program = runMoonbridge(
      ["login", ...siteOptions(simulator)],
      folder,
      {},
      `${accessToken}\n${refreshToken}`,
    );
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/^Found an access token and a refresh token:$/m);
    expect(program.output()).toMatch(/^Kimi accepts this login: “moon \(simulated\)”, user [0-9a-v]{20}\.$/m);
    expect(program.output()).toMatch(/^Stored as the account “kimi” in .*moonbridge\.db\.$/m);
    expectNoTokenIn(program.output() + program.log(), accessToken, refreshToken);
    expect(simulator.counts().refreshes).toBe(0);
    expect(await readCredentials(folder)).toMatchObject({
      current: { accessToken, refreshToken },
      startedFrom: "login",
      site: { baseUrl: simulator.url, authUrl: simulator.url },
    });
  });

  test("refreshes a lone refresh token from a file, and stores the new pair", async () => {
    const [simulator, folder] = [await startKimi({ refreshGraceSeconds: 0 }), createConfiguredFolder()];
    const { refreshToken } = simulator.issue();
    // The encoding in which PowerShell writes files.
    writeFileSync(join(folder, "pasted.txt"), `\ufeffrefresh_token\t${refreshToken}\r\n`, "utf16le");
    const program = runMoonbridge(["login", "--file", "pasted.txt", ...siteOptions(simulator)], folder);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/Kimi accepts this login and has renewed it/);
    const { current } = (await readCredentials(folder)) ?? {};
    expectNoTokenIn(program.output(), refreshToken, current?.accessToken ?? "", current?.refreshToken ?? "");
    expect(decodeClaims(current?.accessToken ?? "").kind).toBe("access");
    expect(current?.refreshToken).not.toBe(refreshToken);
    expect(simulator.counts().refreshes).toBe(1);
  });

  test("refreshes an access token that Kimi refuses; --file - is standard input", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    simulator.expireAccessTokens();
    const pasted = JSON.stringify({ access_token: accessToken, refresh_token: refreshToken });
    const program = runMoonbridge(["login", "--file", "-", ...siteOptions(simulator)], folder, {}, pasted);
    expect(await program.exit).toBe(0);
    expect((await readCredentials(folder))?.current.accessToken).not.toBe(accessToken);
  });

  test("keeps the refresh token of the same user if an access token alone is pasted", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const first = simulator.issue({ user: "moon" });
    const login = async (pasted: string) => {
      const program = runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, pasted);
      expect(await program.exit).toBe(0);
      return program.output();
    };
    await login(`${first.accessToken} ${first.refreshToken}`);
    const { accessToken } = simulator.issue({ user: "moon" });
    expect(await login(accessToken)).toMatch(/^The refresh token that was stored for this user is kept/m);
    expect((await readCredentials(folder))?.current).toEqual({
      accessToken,
      refreshToken: first.refreshToken,
    });
    const other = simulator.issue({ user: "sun" });
    expect(await login(other.accessToken)).not.toMatch(/is kept/);
    expect((await readCredentials(folder))?.current).toEqual({ accessToken: other.accessToken });
  });

  test("stores the new pair even if Kimi cannot be reached right after the refresh", async () => {
    const [simulator, folder] = [await startKimi({ refreshGraceSeconds: 0 }), createConfiguredFolder()];
    const { refreshToken } = simulator.issue();
    const unreachableSite = ["--base-url", "http://127.0.0.1:1", "--auth-url", simulator.url];
    const program = runMoonbridge(["login", ...unreachableSite], folder, {}, refreshToken);
    expect(await program.exit).toBe(0);
    expect(program.log()).toMatch(/Kimi cannot be reached/);
    expect(program.output()).toMatch(/^Stored as/m);
    expect((await readCredentials(folder))?.current.refreshToken).not.toBe(refreshToken);
  });

  test("stores tokens without calling Kimi if --offline is given, and says so", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const tokens = simulator.issue();
    const pasted = `curl 'https://www.kimi.ai/' -H 'authorization: Bearer ${tokens.accessToken}'`;
    const program = runMoonbridge(["login", "--offline", "--name", "other"], folder, {}, pasted);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/^Kimi was not asked/m);
    expect(simulator.calls).toEqual([]);
    expect(await readCredentials(folder, "other")).toMatchObject({
      current: { accessToken: tokens.accessToken },
      site: { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" },
    });
  });
});

describe("moonbridge login stores nothing, says why and exits with 1", () => {
  test.each<[string, string, RegExp]>([
    ["nothing", "", /^moonbridge: Nothing was pasted\. Log in on Kimi's site/],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUv", /"kind": "openai"/],
  ])("for %s", async (_name, pasted, message) => {
    const folder = createConfiguredFolder();
    const program = runMoonbridge(["login"], folder, {}, pasted);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(message);
    expect(program.output()).toBe("");
  });

  test("for tokens that Kimi refuses", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    simulator.expireAccessTokens();
    simulator.revoke(refreshToken);
    const both = runMoonbridge(
      ["login", ...siteOptions(simulator)],
      folder,
      {},
      `${accessToken} ${refreshToken}`,
    );
    expect(await both.exit).toBe(1);
    expect(both.log()).toMatch(/^moonbridge: Kimi refuses this refresh token: .* Nothing was stored\.\n$/);
    const alone = runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, accessToken);
    expect(await alone.exit).toBe(1);
    expect(alone.log()).toMatch(/^moonbridge: Kimi refuses this access token, and there is no refresh token/);
    expectNoTokenIn(both.output() + both.log() + alone.log(), accessToken, refreshToken);
    expect(await readCredentials(folder)).toBeUndefined();
  });

  test("for a refused cookie of which nothing says for which site it is", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const cookie = legacyToken("access");
    const program = runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, `kimi-auth=${cookie}`);
    expect(await program.exit).toBe(1);
    expect(program.output()).toMatch(/^ {2}site +kimi\.com \(nothing says so/m);
    expect(program.log()).toMatch(/Nothing was stored\. If this login is one of kimi\.ai, add --base-url/);
    expectNoTokenIn(program.output() + program.log(), cookie);
  });

  test("if Kimi cannot be reached", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const program = runMoonbridge(
      ["login", "--base-url", "http://127.0.0.1:1"],
      folder,
      {},
      simulator.issue().accessToken,
    );
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(
      /cannot be reached.* Nothing was stored\. --offline stores it without asking/,
    );
    expect(await readCredentials(folder)).toBeUndefined();
  });

  test("for a missing file, whose name may be a token and is not shown", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken } = simulator.issue();
    const program = runMoonbridge(["login", "--file", accessToken], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/--file: there is no such file/);
    expectNoTokenIn(program.log(), accessToken);
  });

  test("for an account that the config does not have", async () => {
    const folder = createConfiguredFolder();
    const kimiAccounts = ["me", "you"].map((name) => ({ name, kind: "kimi-web" }));
    writeConfig(folder, { upstreams: [...kimiAccounts, { name: "try", kind: "simulator" }] });
    const program = runMoonbridge(["login"], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/--name: the configuration has no such account\. It has: me, you\./);
  });
});

/** util-linux's program that runs a command in a terminal; on other systems it has other options. */
const scriptPath = "/usr/bin/script";
const canOpenTerminal = process.platform === "linux" && existsSync(scriptPath);

/** Runs the command in a new terminal, whose `screen` returns all output so far. */
function runInTerminal(command: string, folder: string) {
  const child = spawn(scriptPath, ["-qec", command, "/dev/null"], {
    cwd: folder,
    env: { PATH: process.env.PATH, SHELL: "/bin/sh", ...homeVariables(folder) },
    stdio: ["pipe", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let screen = "";
  child.stdout.on("data", (data: Buffer) => {
    screen += data;
  });
  const exit = once(child, "close").then(([code]) => code);
  return { screen: () => screen, type: (keys: string) => void child.stdin.write(keys), exit };
}

describe.skipIf(!canOpenTerminal)("moonbridge login in a terminal", () => {
  const promptPattern = /Paste what you have.*Ctrl\+C leaves/s;

  test("shows nothing of what is pasted, and does not end at an empty line inside it", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    const terminal = runInTerminal(
      `${process.execPath} ${programPath} login ${siteOptions(simulator).join(" ")}`,
      folder,
    );
    await waitUntil(() => promptPattern.test(terminal.screen()));
    terminal.type(`{"access_token":\r\r`);
    terminal.type(`"history":"${"x".repeat(100_000)}",\r`);
    terminal.type(`"${accessToken}",\r\n\r\n"refresh_token":"${refreshToken}"}`);
    terminal.type("\r\r");
    expect(await terminal.exit).toBe(0);
    expect(terminal.screen()).toMatch(/Found an access token and a refresh token in a copy of Local storage/);
    expect(terminal.screen()).toMatch(/Stored as/);
    expect(terminal.screen()).not.toContain("access_token");
    expectNoTokenIn(terminal.screen(), accessToken, refreshToken);
  });

  test("ends at Ctrl+D", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    const { accessToken } = simulator.issue();
    const terminal = runInTerminal(
      `${process.execPath} ${programPath} login ${siteOptions(simulator).join(" ")}`,
      folder,
    );
    await waitUntil(() => promptPattern.test(terminal.screen()));
    terminal.type(`${accessToken}\u0004`);
    expect(await terminal.exit).toBe(0);
    expectNoTokenIn(terminal.screen(), accessToken);
  });

  test("exits at Ctrl+C without storing anything, and restores the terminal", async () => {
    const folder = createConfiguredFolder();
    const terminal = runInTerminal(
      `${process.execPath} ${programPath} login; echo "code $?"; stty -a; cat`,
      folder,
    );
    await waitUntil(() => promptPattern.test(terminal.screen()));
    terminal.type("CANARY half a tok\u0003");
    await waitUntil(() => /code 1.*[^-]icanon.*[^-]echo /s.test(terminal.screen()));
    expect(terminal.screen()).toMatch(/moonbridge: Nothing was stored\./);
    expect(terminal.screen()).not.toContain("CANARY");
    // With echo restored, the terminal shows what is typed.
    terminal.type("visible");
    await waitUntil(() => terminal.screen().includes("visible"));
  });
});

function sendChat(url: string, key: string, fields: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ ...chatBody("sim:say=connected"), ...fields }),
  });
}

/** Logs in to a Kimi; `account`: the name of the account, if not the default one. */
async function logIn(folder: string, simulator: Simulator, account?: string): Promise<void> {
  const { accessToken, refreshToken } = simulator.issue({ user: account ?? "first" });
  const name = account === undefined ? [] : ["--name", account];
  const login = runMoonbridge(
    ["login", ...name, ...siteOptions(simulator)],
    folder,
    {},
    `${accessToken} ${refreshToken}`,
  );
  expect(await login.exit).toBe(0);
  expect(login.output()).toMatch(/One that runs already uses it within 15 seconds/);
}

describe("moonbridge login beside a running server", () => {
  const key = "sk-CANARY-of-more-than-32-characters";
  const upstreamsOf = async (url: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const { upstreams } = Object(await (await fetch(`${url}/readyz`, { headers })).json());
    return upstreams;
  };

  test("connects the first account in place of the simulator, whose open streams end as they should", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    writeConfig(folder, { token: key });
    const server = runMoonbridge(["--port", "0"], folder);
    const url = await server.ready;
    expect(server.output()).toContain("SIMULATOR");
    const prompt = chatBody("sim:repeat=150 sim:slow=100", { stream: true });
    const stream = await sendChat(url, key, prompt);
    const waiting = stream.text();

    await logIn(folder, simulator);
    await expect
      .poll(() => upstreamsOf(url), { timeout: 10_000 })
      .toMatchObject([{ upstream: "kimi", simulated: false, state: "ok" }]);
    const answer = await (await sendChat(url, key)).json();
    expect(answer).toMatchObject({ model: "kimi", choices: [{ message: { content: "connected" } }] });
    expect(simulator.counts().chats).toBe(1);

    const chunks = parseChunks(await waiting);
    expect(contentOf(chunks)).toMatch(/ 150\W*$/);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks[0]?.model).toBe("kimi (simulator)");
    server.kill("SIGTERM");
    expect(await server.exit).toBe(0);
  });

  test("adds a further account, and leaves the first one as it is", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    writeConfig(folder, { token: key });
    await logIn(folder, simulator);
    const server = runMoonbridge(["--port", "0"], folder);
    const url = await server.ready;
    expect((await sendChat(url, key)).status).toBe(200);
    await logIn(folder, simulator, "second");
    await expect
      .poll(() => upstreamsOf(url), { timeout: 10_000 })
      .toMatchObject([{ upstream: "kimi" }, { upstream: "second", state: "ok" }]);
    expect((await sendChat(url, key)).status).toBe(200);
  });

  test("connects a configured account that has no tokens yet, on the site of the login", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    writeConfig(folder, { token: key, upstreams: [{ name: "me", kind: "kimi-web" }] });
    const server = runMoonbridge(["--port", "0"], folder);
    const url = await server.ready;
    expect(await upstreamsOf(url)).toMatchObject([{ upstream: "me", state: "login required" }]);
    await logIn(folder, simulator, "me");
    await expect.poll(() => upstreamsOf(url), { timeout: 10_000 }).toMatchObject([{ state: "ok" }]);
    expect((await sendChat(url, key)).status).toBe(200);
    expect(simulator.counts().chats).toBe(1);
  });

  test("is used by a server whose account works, also for another user", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    writeConfig(folder, { token: key });
    await logIn(folder, simulator);
    const server = runMoonbridge(["--port", "0"], folder);
    const url = await server.ready;
    const login = simulator.issue({ user: "another" });
    const program = runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, login.accessToken);
    expect(await program.exit).toBe(0);
    // An access token alone of another user has no refresh token.
    await expect.poll(() => upstreamsOf(url), { timeout: 20_000 }).toMatchObject([{ state: "expiring" }]);
  });
});

describe("tokens that moonbridge login stored", () => {
  test("are used without a config, also after a restart with refreshed tokens", async () => {
    const [simulator, folder] = [await startKimi({ refreshGraceSeconds: 0 }), createConfiguredFolder()];
    await runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, simulator.issue().refreshToken)
      .exit;
    const first = runMoonbridge(["--port", "0"], folder);
    const url = await first.ready;
    expect(first.output()).not.toContain("SIMULATOR");
    const key = /^ {2}API key +(sk-moonbridge-\S+) /m.exec(first.output())?.[1] ?? "";
    simulator.expireAccessTokens();
    expect(await (await sendChat(url, key)).json()).toMatchObject({
      model: "kimi",
      choices: [{ message: { content: "connected" } }],
    });
    expect(simulator.counts()).toMatchObject({ refreshes: 2, chats: 1 });
    first.kill("SIGTERM");
    await first.exit;

    const second = runMoonbridge(["--port", "0"], folder);
    expect((await sendChat(await second.ready, key)).status).toBe(200);
    const doctor = runMoonbridge(["doctor"], folder);
    expect(await doctor.exit).toBe(0);
    expect(doctor.output()).toMatch(/^✓ ok +account kimi: ok/m);
  });

  test("are used for an account that the config names without tokens or URLs", async () => {
    const [simulator, folder] = [await startKimi(), createConfiguredFolder()];
    writeConfig(folder, { token: "sk-CANARY", upstreams: [{ name: "me", kind: "kimi-web" }] });
    const { accessToken } = simulator.issue();
    const program = runMoonbridge(["login", ...siteOptions(simulator)], folder, {}, accessToken);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/Stored as the account “me”/);
    expect(program.output()).toMatch(/One that runs already uses it within 15 seconds/);
    const server = runMoonbridge(["--port", "0"], folder);
    expect((await sendChat(await server.ready, "sk-CANARY")).status).toBe(200);
    expect(simulator.counts().chats).toBe(1);
  });
});
