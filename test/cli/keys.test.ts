import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asking } from "../gateway.js";
import { freshFolder, run, writeConfig } from "./process.js";

type Outcome = { code: number | null; output: string; log: string };

async function keys(folder: string, ...args: string[]): Promise<Outcome> {
  const program = run(["keys", ...args], folder);
  const code = await program.exit;
  return { code, output: program.output(), log: program.log() };
}

function ask(url: string, key: string, model = "kimi"): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(asking("hello", { model })),
  });
}

describe("while the server runs", () => {
  test("a key that is added opens it, with its settings, until it is revoked", async () => {
    const folder = freshFolder();
    const url = await run(["--port", "0"], folder).ready;
    const added = await keys(
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

    const answer = await ask(url, key);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-ratelimit-remaining-requests")).toBe("1");
    expect((await ask(url, key, "moonshot-v1")).status).toBe(404);
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: "phone",
      client_secret: key,
    });
    const { access_token, scope } = JSON.parse(
      await (await fetch(`${url}/token`, { method: "POST", body: form })).text(),
    );
    expect(scope).toBe("chat");
    const models = (bearer: string) =>
      fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${bearer}` } });
    expect((await models(access_token)).status).toBe(200);

    const listed = await keys(folder, "list");
    expect(listed.output).toMatch(/^NAME +SCOPES +CREATED +EXPIRES +LIMITS$/m);
    expect(listed.output).toMatch(/^first +chat,admin +\d{4}-\d\d-\d\d \d\d:\d\d +never +none$/m);
    expect(listed.output).toMatch(/^phone +chat +\S+ \S+ +\d{4}-\S+ \S+ +models=kimi requestsPerMinute=2$/m);
    expect(listed.output).not.toContain(key.slice(-4));
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file), "latin1")).not.toContain(key.slice("sk-moonbridge-".length));

    expect((await keys(folder, "revoke", "phone")).code).toBe(0);
    for (const bearer of [key, access_token]) expect((await models(bearer)).status).toBe(401);
    expect((await keys(folder, "list")).output).not.toContain("phone");
  });
});

describe("keys of the config", () => {
  test("are listed, and neither doubled nor revoked", async () => {
    const folder = freshFolder();
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
    const { output } = await keys(folder, "list");
    expect(output).toMatch(/^token +chat,admin +in the config +never +none$/m);
    expect(output).toMatch(
      /^old +admin +in the config +2026-01-02 00:00 \(over\) +concurrency=3 citations=off$/m,
    );
    expect(output).not.toMatch(/CANARY|aaaa/);
    expect(await keys(folder, "add", "old")).toMatchObject({
      code: 1,
      log: expect.stringMatching(/“old” already/),
    });
    expect(await keys(folder, "revoke", "token")).toMatchObject({
      code: 1,
      log: expect.stringMatching(/stands in the config/),
    });
  });
});

describe("what cannot be done says why and exits with 1", () => {
  test.each<[string[], RegExp]>([
    [["add", "a b"], /name: expected 1 to 64 letters/],
    [["add", "x", "--scopes", "all"], /scopes\[0\]: expected "chat" or "admin"/],
    [["add", "x", "--upstreams", "nobody"], /there is no upstream “nobody”/],
    [["add", "x", "--requests-per-minute", "many"], /requestsPerMinute: expected a whole number/],
    [["add", "x", "--expires", "2020-01-01"], /expires: this time is over already/],
    [["add", "x", "--expires", "soon"], /expires: expected a date such as/],
    [["add", "x", "--citations", "loud"], /Allowed choices are inline, footer, annotations, off/],
    [["revoke", "nobody"], /There is no key “nobody”/],
  ])("%j", async (args, message) => {
    const outcome = await keys(freshFolder(), ...args);
    expect(outcome).toMatchObject({ code: 1, output: "", log: expect.stringMatching(message) });
  });

  test("a name that is taken", async () => {
    const folder = freshFolder();
    expect((await keys(folder, "add", "phone", "--scopes", "chat,admin")).code).toBe(0);
    expect(await keys(folder, "add", "phone")).toMatchObject({ code: 1, output: "" });
  });
});
