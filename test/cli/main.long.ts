import { spawn, spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chatBody, waitUntil } from "../gateway.js";
import { createTemporaryFolder, homeVariables, programPath, runMoonbridge, writeConfig } from "./process.js";

const key = "sk-CANARY-of-more-than-32-characters";

/** Runs a command line in a POSIX shell, with `moonbridge` as the built program. */
function runInShell(commandLine: string, environment: Record<string, string> = {}) {
  const script = `moonbridge() { "${process.execPath}" "${programPath}" "$@"; }\n${commandLine}`;
  const folder = createTemporaryFolder();
  return spawnSync("sh", ["-c", script], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...homeVariables(folder), ...environment },
    encoding: "utf8",
  });
}

describe("an unsupported version of Node.js", () => {
  test("gets one sentence and exit code 1, whichever command it runs", () => {
    const folder = createTemporaryFolder();
    const preload = join(folder, "older-node.mjs");
    writeFileSync(
      preload,
      'Object.defineProperty(process.versions, "node", { value: "18.20.8", configurable: true });',
    );
    for (const command of [[], ["keys", "list"], ["--version"]]) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--import", preload, programPath, ...command],
        { cwd: folder, encoding: "utf8" },
      );
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: "",
        stderr: "moonbridge: Node.js 18.20.8 is too old. Install version 20.19 or newer.\n",
      });
    }
  });

  test("loads nothing before the check that it may not be able to load", () => {
    const importedBy = (file: string) =>
      [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\b.*?from "([^"]+)"/gm)].map(
        ([, path]) => path,
      );
    expect(importedBy(programPath)).toEqual(["../lib/node-version.js"]);
    expect(importedBy(join(programPath, "../../lib/node-version.js"))).toEqual([]);
  });
});

describe("a command that does not exist", () => {
  test.each([
    ["srve", /^moonbridge: There is no command “srve”\. Did you mean “serve”\?\n$/],
    ["key list", /There is no command “key”\. Did you mean “keys”\?/],
    ["docter --offline", /There is no command “docter”\. Did you mean “doctor”\?/],
    ["--port 0 simluate", /There is no command “simluate”\. Did you mean “simulate”\?/],
    ["something", /There is no command “something”\. “moonbridge help” lists the commands\./],
    ["serve now", /There is no command “now”/],
    ["keys lst", /unknown command 'lst'\n\(Did you mean list\?\)/],
    ["--prot 7000", /unknown option '--prot'\n\(Did you mean --port\?\)/],
  ])("%s: the message names the nearest one", (command, message) => {
    const { status, stdout, stderr } = runInShell(`moonbridge ${command}`);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

test("help lists the commands", () => {
  expect(runInShell("moonbridge help").stdout).toMatch(/^ {2}keys /m);
});

test("misspelt variables are named by commands that start no server as well", () => {
  const { status, stderr } = runInShell("moonbridge keys list", { MOONBRIDGE_STOR: "sqlite:x.db" });
  expect(status).toBe(0);
  expect(stderr).toBe("moonbridge: There is no variable MOONBRIDGE_STOR. The nearest is MOONBRIDGE_STORE.\n");
});

describe("output that nobody reads", () => {
  test.each(["keys list", "keys --help", "doctor --offline", "doctor --offline --json", "--help"])(
    "%s | true shows no error",
    (command) => {
      // The reader is gone before anything is written.
      const { stderr } = runInShell(`{ sleep 0.2; moonbridge ${command}; } | true`);
      expect(stderr).toBe("");
    },
  );

  test("does not stop a server", async () => {
    const folder = createTemporaryFolder();
    // The server's URL is known although its output is not read: the port is free at this moment.
    const port = await freePort();
    const commandLine = `"${process.execPath}" "${programPath}" --port ${port} 2>log | true`;
    const child = spawn("sh", ["-c", commandLine], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...homeVariables(folder), MOONBRIDGE_TOKEN: key },
      detached: true,
      stdio: "ignore",
    });
    const serves = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    try {
      await expect.poll(serves, { timeout: 20_000 }).toBe(true);
      // All that it prints is written before its first answer.
      expect(await serves()).toBe(true);
      expect(readFileSync(join(folder, "log"), "utf8")).not.toMatch(/EPIPE|at .*\.js/);
    } finally {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

test("SIGHUP makes a server read its configuration again, and keeps the one before if it is not valid", async () => {
  const folder = createTemporaryFolder();
  const writeUpstreams = (...upstreams: object[]) => writeConfig(folder, { token: key, upstreams });
  const simulator = (name: string) => ({ name, kind: "simulator" });
  writeUpstreams(simulator("first"));
  const program = runMoonbridge(["--port", "0"], folder, {});
  const url = await program.ready;
  const names = async () => {
    const response = await fetch(`${url}/readyz`, { headers: { authorization: `Bearer ${key}` } });
    return (await response.text()).match(/(?<="upstream":")[a-z]+/g);
  };
  expect(await names()).toEqual(["first"]);
  writeUpstreams(simulator("second"), { name: "third", kind: "SECRET" });
  program.kill("SIGHUP");
  await waitUntil(() =>
    program.log().includes("is refused and the one before stays: upstreams[1].kind: expected"),
  );
  expect(await names()).toEqual(["first"]);
  writeUpstreams(simulator("second"));
  program.kill("SIGHUP");
  await waitUntil(() => program.log().includes('"settings":["upstreams"]'));
  expect(await names()).toEqual(["second"]);
  program.kill("SIGHUP");
  await waitUntil(() => program.log().includes("read again: nothing has changed"));
  expect(program.log()).not.toContain("SECRET");
  program.kill("SIGTERM");
  expect(await program.exit).toBe(0);
});

describe("the command that serve prints to try it", () => {
  /** The command in the output, and what it does when pasted into a shell. */
  function paste(output: string, environment: Record<string, string>) {
    const command = /^ {2}curl [\s\S]*?\}'$/m.exec(output)?.[0] ?? "";
    return runInShell(command, environment).stdout;
  }

  test("works when pasted, at the first start and at later ones", async () => {
    const folder = createTemporaryFolder();
    const first = runMoonbridge(["--port", "0"], folder);
    await first.ready;
    expect(paste(first.output(), {})).toMatch(/^data: .*\n\ndata: [\s\S]*\[DONE\]/);
    const newKey = /(sk-moonbridge-\S+) \(shown/m.exec(first.output())?.[1] ?? "";
    first.kill("SIGTERM");
    await first.exit;

    const second = runMoonbridge(["--port", "0"], folder);
    const url = await second.ready;
    expect(second.output()).toContain("with the key in the shell's variable MOONBRIDGE_KEY");
    expect(paste(second.output(), { MOONBRIDGE_KEY: newKey })).toMatch(/^data: [\s\S]*\[DONE\]/);
    expect(paste(second.output(), {})).toMatch(/invalid_api_key/);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${newKey}` },
      body: JSON.stringify(chatBody("hello")),
    });
    expect(response.status).toBe(200);
  });
});

test("quotes in a variable are mentioned at the start, and the key works without them", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, {});
  const program = runMoonbridge(["--port", "0"], folder, { MOONBRIDGE_TOKEN: `"${key}"` });
  const url = await program.ready;
  expect(program.output()).toContain("note: MOONBRIDGE_TOKEN: the quotes around its value were taken off.");
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
});

test("a config file that is created while the server runs takes effect, and stays in force when it is deleted", async () => {
  const folder = createTemporaryFolder();
  const program = runMoonbridge(["--port", "0"], folder);
  const url = await program.ready;
  const status = async (credential: string) =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${credential}` } })).status;
  expect(await status(key)).toBe(401);
  writeConfig(folder, { token: key });
  await waitUntil(() => program.log().includes('"settings":["keys"]'));
  expect(await status(key)).toBe(200);
  rmSync(join(folder, "config.json"));
  await waitUntil(() => program.log().includes("config.json: there is no such file"));
  expect(await status(key)).toBe(200);
});
