import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Fault, type Simulator, startSimulator } from "../../simulator/index.js";
import { version } from "../../src/lib/version.js";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { chatsOnKimi } from "../conversations/dialogue.js";
import { until } from "../gateway.js";
import { json, platformKey, startPlatform, stream } from "../upstreams/openai/platform.js";
import { freshFolder, run, writeConfig } from "./process.js";

type Finding = { what: string; state: "ok" | "warn" | "fail"; detail: string; remedy?: string };

const key = "sk-CANARY-of-more-than-32-characters";
const server = { port: 0 };

/** What `doctor --json` finds, and its exit code; fails if anything secret is in what it prints. */
async function examine(folder: string, args: string[] = [], environment: Record<string, string> = {}) {
  const program = run(["doctor", "--json", ...args], folder, environment);
  const code = await program.exit;
  expect(program.log()).toBe("");
  expect(program.output()).not.toMatch(/CANARY|eyJ/);
  const findings: Finding[] = JSON.parse(program.output());
  expect(code).toBe(findings.some(({ state }) => state === "fail") ? 1 : 0);
  return { code, findings, of: (what: string) => findings.filter((each) => each.what === what) };
}

async function simulator(): Promise<Simulator> {
  const started = await startSimulator();
  onTestFinished(() => started.close());
  return started;
}

/** The config of an account at this simulator. */
function account(
  { url }: { url: string },
  tokens: Record<string, string>,
  more: Record<string, unknown> = {},
) {
  return {
    token: key,
    server,
    upstreams: [{ name: "me", kind: "kimi-web", baseUrl: url, authUrl: url, ...tokens, ...more }],
  };
}

async function listening(listener: RequestListener): Promise<string> {
  const http = createServer(listener);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const address = http.address();
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

describe("an account that works", () => {
  test("is tried from its login to one short chat, which leaves no trace on Kimi's side", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    const tokens = kimi.issue({ user: "CANARY" });
    writeConfig(folder, account(kimi, tokens));
    const { code, findings } = await examine(folder);
    expect(code).toBe(0);
    expect(findings.map(({ what, state }) => `${state} ${what}`)).toEqual([
      "ok node",
      "ok config",
      "ok store",
      "ok clock",
      `ok network ${kimi.url}`,
      "ok account me",
      "ok account me, user",
      "ok account me, models",
      "ok account me, quota",
      "ok account me, chat",
      "ok keys",
      "ok address",
      "ok files",
      "ok chats",
    ]);
    const details = findings.map(({ detail }) => detail).join("\n");
    expect(details).toMatch(/would end in 90 days \(20/);
    expect(details).toMatch(/^Kimi knows this login: user [0-9a-v]{4}…$/m);
    expect(details).toMatch(/^4; “kimi” means k2d6-chat$/m);
    expect(details).toMatch(/subscription: 3 % used, anew in 30 days/);
    expect(details).toMatch(/^k2d6-chat answered within \d+ ms; the chat is deleted again$/m);
    const [chat] = kimi.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
    expect(JSON.stringify(chat?.body)).toMatch(/Say hi/);
    expect(JSON.stringify(chat?.body)).not.toMatch(/TOOL_TYPE_SEARCH/);
    expect(kimi.calls.filter(({ path }) => path.endsWith("/DeleteChat"))).toHaveLength(1);
    expect(kimi.counts()).toMatchObject({ chats: 1, refreshes: 0 });
  });

  test("is renewed only if it has to be, and the renewed login is kept", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    writeConfig(folder, account(kimi, kimi.issue({ accessSeconds: 0 })));
    for (let times = 0; times < 2; times++) expect((await examine(folder)).code).toBe(0);
    expect(kimi.counts().refreshes).toBe(1);
  });

  test("is asked nothing with --offline, and nobody else either", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    writeConfig(folder, account(kimi, kimi.issue({ accessSeconds: 0 })));
    const { code, of } = await examine(folder, ["--offline"]);
    expect(code).toBe(0);
    expect(of("account me")).toMatchObject([{ state: "ok" }]);
    expect(of("network")).toMatchObject([{ detail: expect.stringMatching(/--offline/) }]);
    expect(kimi.calls).toEqual([]);
  });

  test("over the legacy protocol, too, and an OpenAI-compatible service beside it", async () => {
    const kimi = await simulator();
    const platform = await startPlatform();
    const says = { choices: [{ index: 0, delta: { content: "hi" }, finish_reason: "stop" }] };
    platform.will(stream(`data: ${JSON.stringify(says)}\n\n`, "data: [DONE]\n\n"));
    const folder = freshFolder();
    writeConfig(folder, {
      token: key,
      server,
      upstreams: [
        { name: "old", kind: "kimi-legacy", baseUrl: kimi.url, ...kimi.issue() },
        { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey, preset: "moonshot" },
      ],
    });
    const { code, of } = await examine(folder);
    expect(of("account old, chat")).toMatchObject([
      { state: "ok", detail: expect.stringMatching(/^kimi answered.*deleted again$/) },
    ]);
    expect(of("account old, models")).toMatchObject([{ state: "ok" }]);
    expect(of("account platform, models")).toMatchObject([
      { state: "ok", detail: "4; “kimi” means kimi-k2.6" },
    ]);
    expect(of("account platform, chat")).toMatchObject([
      { state: "ok", detail: expect.stringMatching(/^kimi-k2.6 answered within \d+ ms$/) },
    ]);
    expect(code).toBe(0);
    expect(platform.calls).toHaveLength(1);
    expect(platform.calls[0]?.body).toMatchObject({ max_completion_tokens: 16 });
  });
});

test("without any config the built-in simulator is tried", async () => {
  const { code, of } = await examine(freshFolder(), [], { MOONBRIDGE_SERVER_PORT: "0" });
  expect(code).toBe(0);
  expect(of("config")).toMatchObject([
    { state: "ok", detail: expect.stringMatching(/^there is no .*config\.json; the defaults/) },
  ]);
  expect(of("account simulator, chat")).toMatchObject([{ state: "ok" }]);
  expect(of("keys")).toMatchObject([{ state: "ok", detail: expect.stringMatching(/first start makes one/) }]);
});

test("in words each finding has a line, and what to do in the next", async () => {
  const folder = freshFolder();
  writeConfig(folder, { token: "12345678", server });
  const program = run(["doctor"], folder, { https_proxy: "http://CANARY@127.0.0.1:1" });
  expect(await program.exit).toBe(0);
  expect(program.output()).toMatch(/^ok {4}store: \/.*moonbridge\.db, .*KB; logins in it are not sealed$/m);
  expect(program.output()).toMatch(
    /^warn {2}keys: “token” is short .* guessed\n {6}→ Take one of 32 characters/m,
  );
  expect(program.output()).toMatch(
    /^warn {2}network: https_proxy is set, and Moonbridge uses no proxy\n {6}→ /m,
  );
  expect(program.output()).not.toMatch(/12345678|CANARY/);
});

describe("what is broken says so, and keeps nothing else from being looked at", () => {
  test("a config with a mistake", async () => {
    const folder = freshFolder();
    writeConfig(folder, '{ "token": "CANARY", "serverr": {} }');
    const { code, of } = await examine(folder);
    expect(code).toBe(1);
    expect(of("config")).toMatchObject([{ state: "fail", detail: "serverr: there is no such setting." }]);
  });

  test("a token that is none of Kimi's", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    writeConfig(folder, account(kimi, { accessToken: "CANARY" }));
    const { code, findings, of } = await examine(folder);
    expect(code).toBe(1);
    expect(of("account me")).toMatchObject([
      {
        state: "fail",
        detail: expect.stringMatching(/^login required: .*Copy access_token and refresh_token/),
      },
    ]);
    expect(findings.filter(({ what }) => what.startsWith("account me,"))).toEqual([]);
    expect(of("chats")).toMatchObject([{ state: "ok" }]);
  });

  test("a login that Kimi has ended", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    const tokens = kimi.issue({ accessSeconds: 0 });
    kimi.revoke(tokens.refreshToken);
    writeConfig(folder, account(kimi, tokens));
    expect((await examine(folder)).of("account me")).toMatchObject([
      {
        state: "fail",
        detail: expect.stringMatching(/^login required: Kimi refuses this account's refresh token/),
      },
    ]);
  });

  test("a login that nobody can renew", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    const { accessToken } = kimi.issue();
    writeConfig(folder, account(kimi, { accessToken }));
    const { code, of } = await examine(folder);
    expect(code).toBe(0);
    expect(of("account me")).toMatchObject([
      {
        state: "warn",
        detail: expect.stringMatching(/It ends in 15 minutes/),
        remedy: expect.stringMatching(/login/),
      },
    ]);
  });

  test("a site that takes no connection", async () => {
    const kimi = await simulator();
    const tokens = kimi.issue();
    await kimi.close();
    const folder = freshFolder();
    writeConfig(folder, account(kimi, tokens));
    const { of } = await examine(folder);
    expect(of(`network ${kimi.url}`)).toMatchObject([
      {
        state: "fail",
        detail: "127.0.0.1 takes no connection (ECONNREFUSED)",
        remedy: expect.stringMatching(/firewall/),
      },
    ]);
    expect(of("account me, chat")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^Kimi cannot be reached/) },
    ]);
    expect(of("account me, models")).toMatchObject([
      { state: "warn", detail: expect.stringMatching(/^2; .* built in/) },
    ]);
    expect(of("clock")).toEqual([]);
    expect(of("files")).toMatchObject([{ state: "ok" }]);
  });

  test("a site without TLS behind an https address, and one that hangs up", async () => {
    const plain = await listening((_request, response) => response.end());
    const rude = await listening(({ socket }) => socket.destroy());
    const folder = freshFolder();
    const https = plain.replace("http:", "https:");
    writeConfig(folder, account({ url: rude }, { accessToken: "CANARY" }, { authUrl: https }));
    const { of } = await examine(folder);
    expect(of(`network ${https}`)).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^there is no trustworthy TLS connection/) },
    ]);
    expect(of(`network ${rude}`)).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^127.0.0.1 takes the connection and does not answer/) },
    ]);
  });

  test.each<[Fault, string, RegExp]>([
    [{ kind: "http", status: 429 }, "warn", /Wait|again|often/],
    [{ kind: "http", status: 500 }, "fail", /Kimi/],
    [{ kind: "empty" }, "fail", /empty answer/],
    [{ kind: "cut", after: 1 }, "fail", /broke|ended in the middle/],
  ])("a chat that goes wrong: %j", async (fault, state, sentence) => {
    const kimi = await simulator();
    kimi.fault(fault);
    const folder = freshFolder();
    writeConfig(folder, account(kimi, kimi.issue()));
    const { of } = await examine(folder);
    expect(of("account me")).toMatchObject([{ state: "ok" }]);
    expect(of("account me, chat")).toMatchObject([{ state, detail: expect.stringMatching(sentence) }]);
    expect(await chatsOnKimi(kimi)).toEqual([]);
  });

  test("a service that refuses the key", async () => {
    const platform = await startPlatform();
    const refusal = json(401, {
      error: { message: `CANARY ${platformKey}`, type: "invalid_authentication_error" },
    });
    platform.will(refusal);
    platform.lists(refusal);
    const folder = freshFolder();
    const upstream = { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey };
    writeConfig(folder, { token: key, server, upstreams: [upstream] });
    expect((await examine(folder)).of("account platform")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^login required/) },
    ]);
  });

  test.each([
    [-3_600_000, /^36\d\d s ahead of that of 127\.0\.0\.1$/],
    [3_600_000, /^3[56]\d\d s behind that of 127\.0\.0\.1$/],
  ])("a clock that is off by %i ms", async (shift, sentence) => {
    const url = await listening((_request, response) => {
      response
        .setHeader("date", new Date(Date.now() + shift).toUTCString())
        .writeHead(404)
        .end();
    });
    const folder = freshFolder();
    writeConfig(folder, { token: key, server, upstreams: [{ name: "x", kind: "openai", baseUrl: url }] });
    expect((await examine(folder)).of("clock")).toMatchObject([
      {
        state: "warn",
        detail: expect.stringMatching(sentence),
        remedy: expect.stringMatching(/timedatectl/),
      },
    ]);
  });

  test("a damaged database: logins are left alone, since a renewed one would be lost", async () => {
    const kimi = await simulator();
    const folder = freshFolder();
    writeFileSync(join(folder, "moonbridge.db"), "CANARY ".repeat(1_000));
    writeConfig(folder, account(kimi, kimi.issue({ accessSeconds: 0 })));
    const { code, of } = await examine(folder);
    expect(code).toBe(1);
    expect(of("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/is not a database, or is damaged\. Restore it/) },
    ]);
    expect(of("account me")).toMatchObject([{ state: "warn", remedy: "Mend the store first." }]);
    expect(of(`network ${kimi.url}`)).toMatchObject([{ state: "ok" }]);
    expect(of("files")).toMatchObject([{ state: "ok" }]);
    expect(kimi.counts().refreshes).toBe(0);
  });

  test("a sealed database without its key", async () => {
    const folder = freshFolder();
    const path = join(folder, "moonbridge.db");
    const store = await SqliteStore.open(path, [randomBytes(32)]);
    await store.saveCredentials("kimi", {
      current: { accessToken: "CANARY" },
      startedFrom: "login",
      savedAt: 0,
    });
    await store.close();
    writeConfig(folder, { token: key, server });
    const { of } = await examine(folder);
    expect(of("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/are sealed.*Set MOONBRIDGE_ENCRYPTION_KEY/) },
    ]);
  });

  test("folders that cannot be written", async () => {
    const folder = freshFolder();
    const files = join(writeConfig(folder, {}), "files");
    writeConfig(folder, {
      token: key,
      server,
      files: { folder: files },
      store: "sqlite:config.json/moonbridge.db",
    });
    const { of } = await examine(folder);
    expect(of("files")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/config\.json\/files cannot be written \(ENOTDIR\)/) },
    ]);
    expect(of("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/cannot be opened or its folder cannot be written/) },
    ]);
  });

  test("a port that another program has; one that Moonbridge has is fine", async () => {
    const other = await listening((_request, response) => response.end('{"name":"CANARY"}'));
    const folder = freshFolder();
    const { port } = new URL(other);
    writeConfig(folder, { token: key, server: { port: Number(port) } });
    expect((await examine(folder)).of("address")).toMatchObject([
      { state: "fail", detail: `Port ${port} is in use. Choose another with --port.` },
    ]);
    writeConfig(folder, { token: key });
    const ours = await run(["--port", "0"], folder).ready;
    writeConfig(folder, { token: key, server: { port: Number(new URL(ours).port) } });
    const { code, of } = await examine(folder);
    expect(of("address")).toEqual([
      { what: "address", state: "ok", detail: `a Moonbridge ${version} answers at ${ours}` },
    ]);
    expect(code).toBe(0);
  });

  test("an address that others can reach, without a key and with a short one", async () => {
    const folder = freshFolder();
    const open = { port: 0, host: "0.0.0.0" };
    writeConfig(folder, { server: open });
    const without = await examine(folder, ["--offline"]);
    expect(without.of("keys")).toMatchObject([{ state: "fail", remedy: expect.stringMatching(/keys add/) }]);
    writeConfig(folder, { server: open, token: "sk-CANARY-20-characters" });
    const short = await examine(folder, ["--offline"]);
    expect(short.of("keys")).toMatchObject([{ state: "ok" }, { state: "warn" }]);
    expect(short.of("address")).toMatchObject([
      { state: "ok" },
      {
        state: "warn",
        detail: expect.stringMatching(/speaks no TLS/),
        remedy: expect.stringMatching(/proxy with TLS/),
      },
    ]);
    expect(short.code).toBe(0);
  });
});

test("keys: how many there are, which have expired, and which stand in samples", async () => {
  const folder = freshFolder();
  const chosen = { nextchat: "12345678", lobe: "your-secret-CANARY-api-key-goes-here", zed: key };
  const keys = Object.entries(chosen).map(([name, each]) => ({ name, key: each }));
  writeConfig(folder, { server, keys: [...keys, { name: "old", key: `${key}-old`, expires: "2026-01-01" }] });
  const { code, of } = await examine(folder, ["--offline"]);
  expect(code).toBe(0);
  expect(of("keys").map(({ state, detail }) => `${state} ${detail}`)).toEqual([
    "ok 4 in the config, 0 in the store; none with the scope admin, which chatting does not need",
    "warn “old” has expired and opens nothing",
    "warn “nextchat” is short or as in a sample, and can be guessed",
    "warn “lobe” is short or as in a sample, and can be guessed",
  ]);
});

test("chats that are due are counted, and many of them are a warning", async () => {
  const folder = freshFolder();
  const store = await SqliteStore.open(join(folder, "moonbridge.db"));
  for (let count = 0; count < 101; count++)
    await store.saveChat({ upstream: "kimi", chat: `${count}`, scope: "s", dueAt: 0 });
  await store.removeChat("kimi", "0");
  writeConfig(folder, { token: key, server });
  expect((await examine(folder, ["--offline"])).of("chats")).toMatchObject([
    { state: "ok", detail: expect.stringMatching(/^100 are due/) },
  ]);
  await store.saveChat({ upstream: "kimi", chat: "0", scope: "s", dueAt: 0 });
  await store.close();
  expect((await examine(folder, ["--offline"])).of("chats")).toMatchObject([{ state: "warn" }]);
});

test("Ctrl-C leaves at once, stops Kimi's answer and takes the chat away", async () => {
  const kimi = await simulator();
  kimi.fault({ kind: "stall", after: 1 });
  const folder = freshFolder();
  writeConfig(folder, account(kimi, kimi.issue()));
  const program = run(["doctor"], folder);
  await until(() => kimi.counts().openStreams === 1);
  // Until it has heard of the chat it cannot take it away.
  await expect.poll(() => chatsNoted(folder)).toBe(1);
  program.kill("SIGINT");
  expect(await program.exit).toBe(130);
  expect(program.output()).toMatch(/^ok {4}store/m);
  expect(program.output()).not.toMatch(/account|chats/);
  expect(kimi.counts().openStreams).toBe(0);
  expect(await chatsOnKimi(kimi)).toEqual([]);
});

async function chatsNoted(folder: string): Promise<number> {
  const store = await SqliteStore.open(join(folder, "moonbridge.db"));
  const { length } = await store.dueChats(["me"], Number.MAX_SAFE_INTEGER, 10);
  await store.close();
  return length;
}
