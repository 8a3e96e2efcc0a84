import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { chatBody } from "../gateway.js";
import {
  createTemporaryFolder,
  dataFolder,
  type MoonbridgeProcess,
  runMoonbridge,
  writeConfig,
} from "./process.js";

type KeysResult = { code: number | null; output: string; log: string };

async function runKeys(folder: string, ...args: string[]): Promise<KeysResult> {
  const program = runMoonbridge(["keys", ...args], folder);
  const code = await program.exit;
  return { code, output: program.output(), log: program.log() };
}

function sendChat(url: string, key: string, model = "kimi"): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(chatBody("hello", { model })),
  });
}

describe("moonbridge keys, while the server runs,", () => {
  test("adds a key that the server accepts, with its settings, until it is revoked", async () => {
    const folder = createTemporaryFolder();
    const url = await runMoonbridge(["--port", "0"], folder).ready;
    const added = await runKeys(
      folder,
      "add",
      "phone",
      "--models",
      "kimi",
      "--requests-per-minute",
      "2",
      "--expires",
      "30d",
    );
    expect(added.code).toBe(0);
    expect(added.log).toMatch(/shown this once/);
    expect(added.output).toMatch(/^sk-moonbridge-\S{32}\n$/);
    const key = added.output.trim();

    const response = await sendChat(url, key);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("1");
    expect((await sendChat(url, key, "moonshot-v1")).status).toBe(404);
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: "phone",
      client_secret: key,
    });
    const { access_token, scope } = JSON.parse(
      await (await fetch(`${url}/token`, { method: "POST", body: form })).text(),
    );
    expect(scope).toBe("chat");
    const listModels = (bearer: string) =>
      fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${bearer}` } });
    expect((await listModels(access_token)).status).toBe(200);

    // The server notes the use of a key within two seconds.
    const listKeys = async () => (await runKeys(folder, "list")).output;
    await expect.poll(listKeys, { timeout: 15_000, interval: 500 }).toMatch(/^phone +chat +\S+ \S+ +\d{4}-/m);
    const listed = await runKeys(folder, "list");
    expect(listed.output).toMatch(/^NAME +SCOPES +CREATED +LAST USE +EXPIRES +LIMITS$/m);
    expect(listed.output).toMatch(/^first +chat,admin +\d{4}-\d\d-\d\d \d\d:\d\d +never +never +none$/m);
    expect(listed.output).toMatch(
      /^phone +chat +\S+ \S+ +\d{4}-\S+ \S+ +\d{4}-\S+ \S+ +models=kimi requestsPerMinute=2$/m,
    );
    expect(listed.output).not.toContain(key.slice(-4));
    for (const file of readdirSync(dataFolder(folder)))
      expect(readFileSync(join(dataFolder(folder), file), "latin1")).not.toContain(
        key.slice("sk-moonbridge-".length),
      );

    expect((await runKeys(folder, "revoke", "phone")).code).toBe(0);
    for (const bearer of [key, access_token]) expect((await listModels(bearer)).status).toBe(401);
    expect((await runKeys(folder, "list")).output).not.toContain("phone");
  });
});

test("two servers of one database share a key's daily budget, which a killed server and a restart do not renew", async () => {
  const folder = createTemporaryFolder();
  const key = "sk-CANARY-phone";
  writeConfig(folder, {
    keys: [{ name: "phone", key, requestsPerDay: 5, tokensPerDay: 1_000_000 }],
    upstreams: [{ name: "try-me", kind: "simulator" }],
  });
  const start = () => runMoonbridge(["--port", "0"], folder);
  const servers = [start(), start()];
  const statuses = async ({ ready }: MoonbridgeProcess) => {
    const url = await ready;
    const responses = await Promise.all([1, 2].map(() => sendChat(url, key)));
    return responses.map(({ status }) => status);
  };
  expect((await Promise.all(servers.map(statuses))).flat()).toEqual([200, 200, 200, 200]);
  for (const server of servers) {
    server.kill("SIGKILL");
    await server.exit;
  }

  expect((await statuses(start())).sort()).toEqual([200, 429]);
  expect((await runKeys(folder, "list")).output).toMatch(
    /^phone .* requestsPerDay=5 \(5 today\) tokensPerDay=1000000 \([1-9]\d+ today\)$/m,
  );
}, 60_000);

describe("moonbridge keys, for keys of the config,", () => {
  test("lists them, and refuses to add one of the same name or to revoke them", async () => {
    const folder = createTemporaryFolder();
    const hash = `sha256:${"a".repeat(64)}`;
    writeConfig(folder, {
      token: "sk-CANARY",
      keys: [
        {
          name: "old",
          key: hash,
          scopes: ["admin"],
          concurrency: 3,
          expires: "2026-01-01",
          citations: "off",
        },
      ],
    });
    const { output } = await runKeys(folder, "list");
    expect(output).toMatch(/^token +chat,admin +in the config +never +never +none$/m);
    expect(output).toMatch(
      /^old +admin +in the config +never +2026-01-02 00:00 \(over\) +concurrency=3 citations=off$/m,
    );
    expect(output).not.toMatch(/CANARY|aaaa/);
    expect(await runKeys(folder, "add", "old")).toMatchObject({
      code: 1,
      log: expect.stringMatching(/“old” already/),
    });
    expect(await runKeys(folder, "revoke", "token")).toMatchObject({
      code: 1,
      log: expect.stringMatching(/stands in the config/),
    });
  });
});

describe("moonbridge keys says what is wrong and exits with 1", () => {
  test.each<[string[], RegExp]>([
    [["add", "a b"], /name: expected 1 to 64 letters/],
    [["add", "x", "--scopes", "all"], /scopes\[0\]: expected "chat" or "admin"/],
    [["add", "x", "--upstreams", "nobody"], /there is no upstream “nobody”/],
    [["add", "x", "--requests-per-minute", "many"], /requestsPerMinute: expected a whole number/],
    [["add", "x", "--requests-per-day", "0"], /requestsPerDay: expected a whole number/],
    [["add", "x", "--tokens-per-day", "1.5"], /tokensPerDay: expected a whole number/],
    [["add", "x", "--expires", "2020-01-01"], /expires: this time is over already/],
    [["add", "x", "--expires", "2027-02-30"], /expires: there is no such day or time/],
    [
      ["add", "x", "--models", "kimi,kimi-tinking"],
      /models: no upstream has “kimi-tinking”. Did you mean “kimi-thinking”\?/,
    ],
    [
      ["add", "x", "--models", "gpt-4o"],
      /models: no upstream has “gpt-4o”. GET \/v1\/models lists what there is/,
    ],
    [["add", "x", "--expires", "soon"], /expires: expected a date such as/],
    [["add", "x", "--citations", "loud"], /Allowed choices are inline, footer, annotations, off/],
    [["revoke", "nobody"], /There is no key “nobody”/],
  ])("for %j", async (args, message) => {
    const result = await runKeys(createTemporaryFolder(), ...args);
    expect(result).toMatchObject({ code: 1, output: "", log: expect.stringMatching(message) });
  });

  test("for a name that is in use", async () => {
    const folder = createTemporaryFolder();
    expect((await runKeys(folder, "add", "phone", "--scopes", "chat,admin")).code).toBe(0);
    expect(await runKeys(folder, "add", "phone")).toMatchObject({ code: 1, output: "" });
  });
});

describe("moonbridge keys add --models", () => {
  const kimiConfig = (url: string, tokens: object, more: object = {}) => ({
    upstreams: [
      { name: "me", kind: "kimi-web", baseUrl: url, authUrl: url, ...tokens },
      { name: "try-me", kind: "simulator" },
    ],
    ...more,
  });

  test("accepts models of the account's live list, aliases, suffixes, routes and *", async () => {
    const simulator = await startSimulator();
    const folder = createTemporaryFolder();
    writeConfig(folder, kimiConfig(simulator.url, simulator.issue(), { routes: { "gpt-4o": ["me"] } }));
    const added = await runKeys(
      folder,
      ...[
        "add",
        "phone",
        "--models",
        "k2d6-chat,k3-agent-silent,moonshot-v1,kimi-nosearch-thinking,gpt-4o,*",
      ],
    );
    expect(added).toMatchObject({ code: 0, output: expect.stringMatching(/^sk-moonbridge-/) });
    expect(added.log).not.toContain("has said");
    const refused = await runKeys(folder, "add", "tablet", "--models", "k2d7-chat");
    expect(refused).toMatchObject({
      code: 1,
      output: "",
      log: expect.stringMatching(/Did you mean “k2d6-chat”\?/),
    });
    await simulator.close();
  });

  test("accepts an unknown model with a warning while an upstream does not list its models", async () => {
    const simulator = await startSimulator();
    const tokens = simulator.issue();
    await simulator.close();
    const folder = createTemporaryFolder();
    writeConfig(folder, kimiConfig(simulator.url, tokens));
    expect(await runKeys(folder, "add", "phone", "--models", "k9-chat")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^sk-moonbridge-/),
      log: expect.stringMatching(/none has “k9-chat” so far/),
    });
  });
});
