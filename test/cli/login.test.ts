import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../simulator/index.js";
import type { StoredCredentials } from "../../src/core/store.js";
import { decodeClaims } from "../../src/core/token.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { older } from "../accounts/intake/jwt.js";
import { asking, until } from "../gateway.js";
import { freshFolder, program, run, writeConfig } from "./process.js";

async function simulate(options?: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

const at = ({ url }: Simulator) => ["--base-url", url, "--auth-url", url];

async function stored(folder: string, account = "kimi"): Promise<StoredCredentials | undefined> {
  const store = await SqliteStore.open(join(folder, "moonbridge.db"));
  try {
    return await store.credentials(account);
  } finally {
    await store.close();
  }
}

/** Fails if any part of a token stands in the output. */
function expectNoTokenIn(output: string, ...tokens: string[]): void {
  expect(output).not.toBe("");
  for (const token of tokens) {
    for (let at = 0; at + 9 <= token.length; at++) expect(output).not.toContain(token.slice(at, at + 9));
  }
}

describe("what is pasted is recognised, verified and stored", () => {
  test("both tokens from standard input, as they are", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken, refreshToken } = simulator.issue({ user: "moon" });
    const program = run(["login", ...at(simulator)], folder, {}, `${accessToken}\n${refreshToken}`);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/^Found an access token and a refresh token:$/m);
    expect(program.output()).toMatch(/^Kimi accepts this login: “moon \(simulated\)”, user [0-9a-v]{20}\.$/m);
    expect(program.output()).toMatch(/^Stored as the account “kimi” in .*moonbridge\.db\.$/m);
    expectNoTokenIn(program.output() + program.log(), accessToken, refreshToken);
    expect(simulator.counts().refreshes).toBe(0);
    expect(await stored(folder)).toMatchObject({
      current: { accessToken, refreshToken },
      startedFrom: "login",
      site: { baseUrl: simulator.url, authUrl: simulator.url },
    });
  });

  test("a refresh token alone from a file: it is renewed, and the new pair is what is kept", async () => {
    const [simulator, folder] = [await simulate({ refreshGraceSeconds: 0 }), freshFolder()];
    const { refreshToken } = simulator.issue();
    // As PowerShell writes it.
    writeFileSync(join(folder, "pasted.txt"), `\ufeffrefresh_token\t${refreshToken}\r\n`, "utf16le");
    const program = run(["login", "--file", "pasted.txt", ...at(simulator)], folder);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/Kimi accepts this login and has renewed it/);
    const { current } = (await stored(folder)) ?? {};
    expectNoTokenIn(program.output(), refreshToken, current?.accessToken ?? "", current?.refreshToken ?? "");
    expect(decodeClaims(current?.accessToken ?? "").kind).toBe("access");
    expect(current?.refreshToken).not.toBe(refreshToken);
    expect(simulator.counts().refreshes).toBe(1);
  });

  test("an access token that Kimi refuses is renewed too; - is standard input", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    simulator.expireAccessTokens();
    const pasted = JSON.stringify({ access_token: accessToken, refresh_token: refreshToken });
    const program = run(["login", "--file", "-", ...at(simulator)], folder, {}, pasted);
    expect(await program.exit).toBe(0);
    expect((await stored(folder))?.current.accessToken).not.toBe(accessToken);
  });

  test("the renewed pair is kept even where Kimi falls silent right after the renewal", async () => {
    const [simulator, folder] = [await simulate({ refreshGraceSeconds: 0 }), freshFolder()];
    const { refreshToken } = simulator.issue();
    const nowhere = ["--base-url", "http://127.0.0.1:1", "--auth-url", simulator.url];
    const program = run(["login", ...nowhere], folder, {}, refreshToken);
    expect(await program.exit).toBe(0);
    expect(program.log()).toMatch(/Kimi cannot be reached/);
    expect(program.output()).toMatch(/^Stored as/m);
    expect((await stored(folder))?.current.refreshToken).not.toBe(refreshToken);
  });

  test("--offline stores without asking Kimi, and says so", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const tokens = simulator.issue();
    const pasted = `curl 'https://www.kimi.ai/' -H 'authorization: Bearer ${tokens.accessToken}'`;
    const program = run(["login", "--offline", "--name", "other"], folder, {}, pasted);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/^Kimi was not asked/m);
    expect(simulator.calls).toEqual([]);
    expect(await stored(folder, "other")).toMatchObject({
      current: { accessToken: tokens.accessToken },
      site: { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" },
    });
  });
});

describe("what cannot be stored says why and exits with 1", () => {
  test.each<[string, string, RegExp]>([
    ["nothing", "", /^moonbridge: Nothing was pasted\. Log in on Kimi's site/],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUv", /"kind": "openai"/],
  ])("%s", async (_name, pasted, sentence) => {
    const folder = freshFolder();
    const program = run(["login"], folder, {}, pasted);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(sentence);
    expect(program.output()).toBe("");
  });

  test("a login that Kimi refuses", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    simulator.expireAccessTokens();
    simulator.revoke(refreshToken);
    const both = run(["login", ...at(simulator)], folder, {}, `${accessToken} ${refreshToken}`);
    expect(await both.exit).toBe(1);
    expect(both.log()).toMatch(/^moonbridge: Kimi refuses this refresh token: .* Nothing was stored\.\n$/);
    const alone = run(["login", ...at(simulator)], folder, {}, accessToken);
    expect(await alone.exit).toBe(1);
    expect(alone.log()).toMatch(/^moonbridge: Kimi refuses this access token, and there is no refresh token/);
    expectNoTokenIn(both.output() + both.log() + alone.log(), accessToken, refreshToken);
    expect(await stored(folder)).toBeUndefined();
  });

  test("a cookie that Kimi refuses, where nothing says which site it is for", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const cookie = older("access");
    const program = run(["login", ...at(simulator)], folder, {}, `kimi-auth=${cookie}`);
    expect(await program.exit).toBe(1);
    expect(program.output()).toMatch(/^ {2}site {11}kimi\.com \(nothing says so/m);
    expect(program.log()).toMatch(/Nothing was stored\. If this login is one of kimi\.ai, add --base-url/);
    expectNoTokenIn(program.output() + program.log(), cookie);
  });

  test("Kimi out of reach", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const program = run(
      ["login", "--base-url", "http://127.0.0.1:1"],
      folder,
      {},
      simulator.issue().accessToken,
    );
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(
      /cannot be reached.* Nothing was stored\. --offline stores it without asking/,
    );
    expect(await stored(folder)).toBeUndefined();
  });

  test("a file that is not there; its name may be a token and is not shown", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken } = simulator.issue();
    const program = run(["login", "--file", accessToken], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/--file: there is no such file/);
    expectNoTokenIn(program.log(), accessToken);
  });

  test("an account that the config does not have", async () => {
    const folder = freshFolder();
    const two = ["me", "you"].map((name) => ({ name, kind: "kimi-web" }));
    writeConfig(folder, { upstreams: [...two, { name: "try", kind: "simulator" }] });
    const program = run(["login"], folder);
    expect(await program.exit).toBe(1);
    expect(program.log()).toMatch(/--name: the configuration has no such account\. It has: me, you\./);
  });
});

/** util-linux makes terminals; other systems' program of this name takes other options. */
const script = "/usr/bin/script";
const hasTerminals = process.platform === "linux" && existsSync(script);

/** The command in a terminal of its own. */
function inTerminal(command: string, folder: string) {
  const child = spawn(script, ["-qec", command, "/dev/null"], {
    cwd: folder,
    env: { PATH: process.env.PATH, SHELL: "/bin/sh" },
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

describe.skipIf(!hasTerminals)("in a terminal", () => {
  const invited = /Paste what you have.*Ctrl\+C leaves/s;

  test("nothing that is pasted is shown, and an empty line inside it ends nothing", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken, refreshToken } = simulator.issue();
    const terminal = inTerminal(`${process.execPath} ${program} login ${at(simulator).join(" ")}`, folder);
    await until(() => invited.test(terminal.screen()));
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

  test("Ctrl+D ends it too", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    const { accessToken } = simulator.issue();
    const terminal = inTerminal(`${process.execPath} ${program} login ${at(simulator).join(" ")}`, folder);
    await until(() => invited.test(terminal.screen()));
    terminal.type(`${accessToken}\u0004`);
    expect(await terminal.exit).toBe(0);
    expectNoTokenIn(terminal.screen(), accessToken);
  });

  test("Ctrl+C leaves, stores nothing and gives the terminal back as it was", async () => {
    const folder = freshFolder();
    const terminal = inTerminal(`${process.execPath} ${program} login; echo "code $?"; stty -a; cat`, folder);
    await until(() => invited.test(terminal.screen()));
    terminal.type("CANARY half a tok\u0003");
    await until(() => /code 1.*[^-]icanon.*[^-]echo /s.test(terminal.screen()));
    expect(terminal.screen()).toMatch(/moonbridge: Nothing was stored\./);
    expect(terminal.screen()).not.toContain("CANARY");
    // This very terminal shows what is typed where nobody forbids it.
    terminal.type("visible");
    await until(() => terminal.screen().includes("visible"));
  });
});

describe("what uses the stored login", () => {
  const ask = (url: string, key: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(asking("sim:say=connected")),
    });

  test("without any config Moonbridge serves it, also after it was renewed", async () => {
    const [simulator, folder] = [await simulate({ refreshGraceSeconds: 0 }), freshFolder()];
    await run(["login", ...at(simulator)], folder, {}, simulator.issue().refreshToken).exit;
    const first = run(["--port", "0"], folder);
    const url = await first.ready;
    expect(first.output()).not.toContain("SIMULATOR");
    const key = /^API key .*: (sk-moonbridge-\S+)$/m.exec(first.output())?.[1] ?? "";
    simulator.expireAccessTokens();
    expect(await (await ask(url, key)).json()).toMatchObject({
      model: "kimi",
      choices: [{ message: { content: "connected" } }],
    });
    expect(simulator.counts()).toMatchObject({ refreshes: 2, chats: 1 });
    first.kill("SIGTERM");
    await first.exit;

    const second = run(["--port", "0"], folder);
    expect((await ask(await second.ready, key)).status).toBe(200);
    const doctor = run(["doctor"], folder);
    expect(await doctor.exit).toBe(0);
    expect(doctor.output()).toMatch(/^ok +account kimi: ok/m);
  });

  test("an account that the config names without tokens or addresses", async () => {
    const [simulator, folder] = [await simulate(), freshFolder()];
    writeConfig(folder, { token: "sk-CANARY", upstreams: [{ name: "me", kind: "kimi-web" }] });
    const { accessToken } = simulator.issue();
    const program = run(["login", ...at(simulator)], folder, {}, accessToken);
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/Stored as the account “me”/);
    expect(program.output()).toMatch(/One that runs already takes it over at its next renewal/);
    const served = run(["--port", "0"], folder);
    expect((await ask(await served.ready, "sk-CANARY")).status).toBe(200);
    expect(simulator.counts().chats).toBe(1);
  });
});
