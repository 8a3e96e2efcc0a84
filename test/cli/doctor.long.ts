import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Fault, type Simulator, startSimulator } from "../../simulator/index.js";
import { version } from "../../src/lib/version.js";
import { openStore } from "../../src/store/open-store.js";
import { listKimiChats } from "../conversations/dialogue.js";
import { waitUntil } from "../gateway.js";
import { json, platformKey, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

type Finding = { what: string; state: "ok" | "warn" | "fail"; detail: string; remedy?: string };

const key = "sk-CANARY-of-more-than-32-characters";
const server = { port: 0 };

/** Runs `doctor --json` and returns its findings and exit code. Fails if its output contains a secret. */
async function runDoctor(folder: string, args: string[] = [], environment: Record<string, string> = {}) {
  const doctor = runMoonbridge(["doctor", "--json", ...args], folder, environment);
  const code = await doctor.exit;
  expect(doctor.log()).toBe("");
  expect(doctor.output()).not.toMatch(/CANARY|eyJ/);
  const findings: Finding[] = JSON.parse(doctor.output());
  expect(code).toBe(findings.some(({ state }) => state === "fail") ? 1 : 0);
  return {
    code,
    findings,
    findingsFor: (what: string) => findings.filter((finding) => finding.what === what),
  };
}

async function startKimi(): Promise<Simulator> {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A config with an account on the simulator at this URL. */
function accountConfig(
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

/** Starts an HTTP server that stops when the test ends, and returns its URL. */
async function startHttpServer(listener: RequestListener): Promise<string> {
  const http = createServer(listener);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const address = http.address();
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

describe("doctor, with an account that works,", () => {
  test("runs all checks from the credentials to one short chat, which it deletes on Kimi's side", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    const tokens = kimi.issue({ user: "CANARY" });
    writeConfig(folder, accountConfig(kimi, tokens));
    const { code, findings } = await runDoctor(folder);
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
      "ok account me, memory",
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

  test("refreshes only an expired access token, and stores the new one", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    writeConfig(folder, accountConfig(kimi, kimi.issue({ accessSeconds: 0 })));
    for (let times = 0; times < 2; times++) expect((await runDoctor(folder)).code).toBe(0);
    expect(kimi.counts().refreshes).toBe(1);
  });

  test("makes no network call with --offline", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    writeConfig(folder, accountConfig(kimi, kimi.issue({ accessSeconds: 0 })));
    const { code, findingsFor } = await runDoctor(folder, ["--offline"]);
    expect(code).toBe(0);
    expect(findingsFor("account me")).toMatchObject([{ state: "ok" }]);
    expect(findingsFor("network")).toMatchObject([{ detail: expect.stringMatching(/--offline/) }]);
    expect(kimi.calls).toEqual([]);
  });

  test("checks accounts over the legacy protocol and OpenAI-compatible services too", async () => {
    const kimi = await startKimi();
    const platform = await startPlatform();
    const chunk = { choices: [{ index: 0, delta: { content: "hi" }, finish_reason: "stop" }] };
    platform.respondWith(stream(`data: ${JSON.stringify(chunk)}\n\n`, "data: [DONE]\n\n"));
    const folder = createTemporaryFolder();
    writeConfig(folder, {
      token: key,
      server,
      upstreams: [
        { name: "old", kind: "kimi-legacy", baseUrl: kimi.url, ...kimi.issue() },
        { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey, preset: "moonshot" },
      ],
    });
    const { code, findingsFor } = await runDoctor(folder);
    expect(findingsFor("account old, chat")).toMatchObject([
      { state: "ok", detail: expect.stringMatching(/^kimi answered.*deleted again$/) },
    ]);
    expect(findingsFor("account old, models")).toMatchObject([{ state: "ok" }]);
    expect(findingsFor("account platform, models")).toMatchObject([
      { state: "ok", detail: "4; “kimi” means kimi-k2.6" },
    ]);
    expect(findingsFor("account platform, chat")).toMatchObject([
      { state: "ok", detail: expect.stringMatching(/^kimi-k2.6 answered within \d+ ms$/) },
    ]);
    expect(code).toBe(0);
    expect(platform.calls).toHaveLength(1);
    expect(platform.calls[0]?.body).toMatchObject({ max_completion_tokens: 16 });
  });
});

test("doctor checks the built-in simulator if there is no config", async () => {
  const { code, findingsFor } = await runDoctor(createTemporaryFolder(), [], { MOONBRIDGE_SERVER_PORT: "0" });
  expect(code).toBe(0);
  expect(findingsFor("config")).toMatchObject([
    { state: "ok", detail: expect.stringMatching(/^there is no .*config\.json; the defaults/) },
  ]);
  expect(findingsFor("account simulator, chat")).toMatchObject([{ state: "ok" }]);
  expect(findingsFor("keys")).toMatchObject([
    { state: "ok", detail: expect.stringMatching(/first start makes one/) },
  ]);
});

test("doctor prints each finding on a line and its remedy on the next", async () => {
  const folder = createTemporaryFolder();
  writeConfig(folder, { token: "12345678", server });
  const program = runMoonbridge(["doctor"], folder, { https_proxy: "http://CANARY@127.0.0.1:1" });
  expect(await program.exit).toBe(0);
  expect(program.output()).toMatch(/^✓ ok {4}store: \/.*moonbridge\.db, .*KB; logins in it are not sealed$/m);
  expect(program.output()).toMatch(
    /^! warn {2}keys: “token” is short .* guessed\n {8}→ Take one of 32 characters/m,
  );
  expect(program.output()).not.toMatch(/12345678|CANARY/);
});

describe("doctor reports a problem and runs the other checks:", () => {
  test("an unknown setting in the config", async () => {
    const folder = createTemporaryFolder();
    writeConfig(folder, '{ "token": "CANARY", "serverr": {} }');
    const { code, findingsFor } = await runDoctor(folder);
    expect(code).toBe(1);
    expect(findingsFor("config")).toMatchObject([
      { state: "fail", detail: "serverr: there is no such setting." },
    ]);
  });

  test("a token that is not Kimi's, in the config and in the store", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    writeConfig(folder, accountConfig(kimi, { accessToken: "CANARY" }));
    expect((await runDoctor(folder)).findingsFor("config")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^upstreams\[0\]\.accessToken: .*no token of Kimi's/) },
    ]);

    const store = await openStore({
      store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
      encryptionKeys: [],
    });
    const current = { accessToken: "CANARY" };
    await store.saveCredentials("me", { current, startedFrom: "login", savedAt: 0 });
    await store.close();
    writeConfig(folder, accountConfig(kimi, {}));
    const { code, findings, findingsFor } = await runDoctor(folder);
    expect(code).toBe(1);
    expect(findingsFor("account me")).toMatchObject([
      {
        state: "fail",
        detail: expect.stringMatching(/^login required: .*Copy access_token and refresh_token/),
      },
    ]);
    expect(findings.filter(({ what }) => what.startsWith("account me,"))).toEqual([]);
    expect(findingsFor("chats")).toMatchObject([{ state: "ok" }]);
  });

  test("a refresh token that Kimi has revoked", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    const tokens = kimi.issue({ accessSeconds: 0 });
    kimi.revoke(tokens.refreshToken);
    writeConfig(folder, accountConfig(kimi, tokens));
    expect((await runDoctor(folder)).findingsFor("account me")).toMatchObject([
      {
        state: "fail",
        detail: expect.stringMatching(/^login required: Kimi refuses this account's refresh token/),
      },
    ]);
  });

  test("an access token without a refresh token", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    const { accessToken } = kimi.issue();
    writeConfig(folder, accountConfig(kimi, { accessToken }));
    const { code, findingsFor } = await runDoctor(folder);
    expect(code).toBe(0);
    expect(findingsFor("account me")).toMatchObject([
      {
        state: "warn",
        detail: expect.stringMatching(/It ends in 15 minutes/),
        remedy: expect.stringMatching(/login/),
      },
    ]);
  });

  test("a site that refuses connections", async () => {
    const kimi = await startKimi();
    const tokens = kimi.issue();
    await kimi.close();
    const folder = createTemporaryFolder();
    writeConfig(folder, accountConfig(kimi, tokens));
    const { findingsFor } = await runDoctor(folder);
    expect(findingsFor(`network ${kimi.url}`)).toMatchObject([
      {
        state: "fail",
        detail: "127.0.0.1 takes no connection (ECONNREFUSED)",
        remedy: expect.stringMatching(/firewall/),
      },
    ]);
    expect(findingsFor("account me, chat")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^Kimi cannot be reached/) },
    ]);
    expect(findingsFor("account me, models")).toMatchObject([
      { state: "warn", detail: expect.stringMatching(/^2; .* built in/) },
    ]);
    expect(findingsFor("clock")).toEqual([]);
    expect(findingsFor("files")).toMatchObject([{ state: "ok" }]);
  });

  test("a site without TLS at an https address, and a site that closes connections", async () => {
    const plainHttpUrl = await startHttpServer((_request, response) => response.end());
    const closingUrl = await startHttpServer(({ socket }) => socket.destroy());
    const folder = createTemporaryFolder();
    const httpsUrl = plainHttpUrl.replace("http:", "https:");
    writeConfig(folder, accountConfig({ url: closingUrl }, {}, { authUrl: httpsUrl }));
    const { findingsFor } = await runDoctor(folder);
    expect(findingsFor(`network ${httpsUrl}`)).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^there is no trustworthy TLS connection/) },
    ]);
    expect(findingsFor(`network ${closingUrl}`)).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^127.0.0.1 takes the connection and does not answer/) },
    ]);
  });

  test.each<[Fault, string, RegExp]>([
    [{ kind: "http", status: 429 }, "warn", /Wait|again|often/],
    [{ kind: "http", status: 500 }, "fail", /Kimi/],
    [{ kind: "empty" }, "fail", /empty answer/],
    [{ kind: "cut", after: 1 }, "fail", /broke|ended in the middle/],
  ])("a chat that fails with %j", async (fault, state, detailPattern) => {
    const kimi = await startKimi();
    kimi.fault(fault);
    const folder = createTemporaryFolder();
    writeConfig(folder, accountConfig(kimi, kimi.issue()));
    const { findingsFor } = await runDoctor(folder);
    expect(findingsFor("account me")).toMatchObject([{ state: "ok" }]);
    expect(findingsFor("account me, chat")).toMatchObject([
      { state, detail: expect.stringMatching(detailPattern) },
    ]);
    expect(await listKimiChats(kimi)).toEqual([]);
  });

  test("a service that refuses the key", async () => {
    const platform = await startPlatform();
    const refusal = json(401, {
      error: { message: `CANARY ${platformKey}`, type: "invalid_authentication_error" },
    });
    platform.respondWith(refusal);
    platform.respondToModelsWith(refusal);
    const folder = createTemporaryFolder();
    const upstream = { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey };
    writeConfig(folder, { token: key, server, upstreams: [upstream] });
    expect((await runDoctor(folder)).findingsFor("account platform")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/^login required/) },
    ]);
  });

  test.each([
    [-3_600_000, /^36\d\d s ahead of that of 127\.0\.0\.1$/],
    [3_600_000, /^3[56]\d\d s behind that of 127\.0\.0\.1$/],
  ])("a clock that is off by %i ms", async (shift, detailPattern) => {
    const url = await startHttpServer((_request, response) => {
      response
        .setHeader("date", new Date(Date.now() + shift).toUTCString())
        .writeHead(404)
        .end();
    });
    const folder = createTemporaryFolder();
    writeConfig(folder, { token: key, server, upstreams: [{ name: "x", kind: "openai", baseUrl: url }] });
    expect((await runDoctor(folder)).findingsFor("clock")).toMatchObject([
      {
        state: "warn",
        detail: expect.stringMatching(detailPattern),
        remedy: expect.stringMatching(/timedatectl/),
      },
    ]);
  });

  test("a damaged database, and refreshes no tokens, since the new ones could not be stored", async () => {
    const kimi = await startKimi();
    const folder = createTemporaryFolder();
    writeFileSync(join(folder, "moonbridge.db"), "CANARY ".repeat(1_000));
    writeConfig(folder, accountConfig(kimi, kimi.issue({ accessSeconds: 0 })));
    const { code, findingsFor } = await runDoctor(folder);
    expect(code).toBe(1);
    expect(findingsFor("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/is not a database, or is damaged\. Restore it/) },
    ]);
    expect(findingsFor("account me")).toMatchObject([{ state: "warn", remedy: "Mend the store first." }]);
    expect(findingsFor(`network ${kimi.url}`)).toMatchObject([{ state: "ok" }]);
    expect(findingsFor("files")).toMatchObject([{ state: "ok" }]);
    expect(kimi.counts().refreshes).toBe(0);
  });

  test("an encrypted database without its key", async () => {
    const folder = createTemporaryFolder();
    const path = join(folder, "moonbridge.db");
    const store = await openStore({ store: { kind: "sqlite", path }, encryptionKeys: [randomBytes(32)] });
    await store.saveCredentials("kimi", {
      current: { accessToken: "CANARY" },
      startedFrom: "login",
      savedAt: 0,
    });
    await store.close();
    writeConfig(folder, { token: key, server });
    const { findingsFor } = await runDoctor(folder);
    expect(findingsFor("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/are sealed.*Set MOONBRIDGE_ENCRYPTION_KEY/) },
    ]);
  });

  test("folders that are not writable", async () => {
    const folder = createTemporaryFolder();
    const files = join(writeConfig(folder, {}), "files");
    writeConfig(folder, {
      token: key,
      server,
      files: { folder: files },
      store: "sqlite:config.json/moonbridge.db",
    });
    const { findingsFor } = await runDoctor(folder);
    expect(findingsFor("files")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/config\.json\/files cannot be written \(ENOTDIR\)/) },
    ]);
    expect(findingsFor("store")).toMatchObject([
      { state: "fail", detail: expect.stringMatching(/cannot be opened or its folder cannot be written/) },
    ]);
  });

  test("a port in use by another program, unlike a port in use by Moonbridge", async () => {
    const otherUrl = await startHttpServer((_request, response) => response.end('{"name":"CANARY"}'));
    const folder = createTemporaryFolder();
    const { port } = new URL(otherUrl);
    writeConfig(folder, { token: key, server: { port: Number(port) } });
    expect((await runDoctor(folder)).findingsFor("address")).toMatchObject([
      { state: "fail", detail: `Port ${port} is in use. Choose another with --port.` },
    ]);
    writeConfig(folder, { token: key });
    const ownUrl = await runMoonbridge(["--port", "0"], folder).ready;
    writeConfig(folder, { token: key, server: { port: Number(new URL(ownUrl).port) } });
    const { code, findingsFor } = await runDoctor(folder);
    expect(findingsFor("address")).toEqual([
      { what: "address", state: "ok", detail: `a Moonbridge ${version} answers at ${ownUrl}` },
    ]);
    expect(code).toBe(0);
  });

  test("a Moonbridge at the address that simulates although an account is connected", async () => {
    const kimi = await startKimi();
    const simulating = createTemporaryFolder();
    writeConfig(simulating, { token: key });
    const url = await runMoonbridge(["--port", "0"], simulating).ready;
    const folder = createTemporaryFolder();
    const config = accountConfig(kimi, kimi.issue());
    writeConfig(folder, { ...config, server: { port: Number(new URL(url).port) } });
    const { code, findingsFor } = await runDoctor(folder);
    expect(findingsFor("address")).toMatchObject([
      {
        state: "warn",
        detail: `a Moonbridge ${version} answers at ${url}, with the SIMULATOR`,
        remedy: expect.stringMatching(/Restart it/),
      },
    ]);
    expect(code).toBe(0);
  });

  test("an address that other machines can reach, without an API key and with a short one", async () => {
    const folder = createTemporaryFolder();
    const publicServer = { port: 0, host: "0.0.0.0" };
    writeConfig(folder, { server: publicServer });
    const withoutKey = await runDoctor(folder, ["--offline"]);
    expect(withoutKey.findingsFor("keys")).toMatchObject([
      { state: "fail", remedy: expect.stringMatching(/keys add/) },
    ]);
    writeConfig(folder, { server: publicServer, token: "sk-CANARY-20-characters" });
    const withShortKey = await runDoctor(folder, ["--offline"]);
    expect(withShortKey.findingsFor("keys")).toMatchObject([{ state: "ok" }, { state: "warn" }]);
    expect(withShortKey.findingsFor("address")).toMatchObject([
      { state: "ok" },
      {
        state: "warn",
        detail: expect.stringMatching(/speaks no TLS/),
        remedy: expect.stringMatching(/proxy with TLS/),
      },
    ]);
    expect(withShortKey.code).toBe(0);
  });
});

test("doctor counts API keys and warns of expired and guessable ones", async () => {
  const folder = createTemporaryFolder();
  const keysByName = { nextchat: "12345678", lobe: "your-secret-CANARY-api-key-goes-here", zed: key };
  const keys = Object.entries(keysByName).map(([name, value]) => ({ name, key: value }));
  writeConfig(folder, { server, keys: [...keys, { name: "old", key: `${key}-old`, expires: "2026-01-01" }] });
  const { code, findingsFor } = await runDoctor(folder, ["--offline"]);
  expect(code).toBe(0);
  expect(findingsFor("keys").map(({ state, detail }) => `${state} ${detail}`)).toEqual([
    "ok 4 in the config, 0 in the store; none with the scope admin, which chatting does not need",
    "warn “old” has expired and opens nothing",
    "warn “nextchat” is short or as in a sample, and can be guessed",
    "warn “lobe” is short or as in a sample, and can be guessed",
  ]);
});

test("doctor counts chats that are due for deletion and warns of more than 100", async () => {
  const folder = createTemporaryFolder();
  const store = await openStore({
    store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
    encryptionKeys: [],
  });
  for (let count = 0; count < 101; count++)
    await store.saveChat({ upstream: "kimi", chat: `${count}`, scope: "s", dueAt: 0 });
  await store.removeChat("kimi", "0", 0);
  writeConfig(folder, { token: key, server });
  expect((await runDoctor(folder, ["--offline"])).findingsFor("chats")).toMatchObject([
    { state: "ok", detail: expect.stringMatching(/^100 are due/) },
  ]);
  await store.saveChat({ upstream: "kimi", chat: "0", scope: "s", dueAt: 0 });
  await store.close();
  expect((await runDoctor(folder, ["--offline"])).findingsFor("chats")).toMatchObject([{ state: "warn" }]);
});

test("Ctrl-C ends doctor at once, cancels Kimi's answer and deletes the chat", async () => {
  const kimi = await startKimi();
  kimi.fault({ kind: "stall", after: 1 });
  const folder = createTemporaryFolder();
  writeConfig(folder, accountConfig(kimi, kimi.issue()));
  const program = runMoonbridge(["doctor"], folder);
  await waitUntil(() => kimi.counts().openStreams === 1);
  // Only a chat that is in the store can be deleted.
  await expect.poll(() => countStoredChats(folder)).toBe(1);
  program.kill("SIGINT");
  expect(await program.exit).toBe(130);
  expect(program.output()).toMatch(/^✓ ok {4}store/m);
  expect(program.output()).not.toMatch(/account|chats/);
  expect(kimi.counts().openStreams).toBe(0);
  expect(await listKimiChats(kimi)).toEqual([]);
});

async function countStoredChats(folder: string): Promise<number> {
  const store = await openStore({
    store: { kind: "sqlite", path: join(folder, "moonbridge.db") },
    encryptionKeys: [],
  });
  const { length } = await store.listDueChats(["me"], Number.MAX_SAFE_INTEGER, 10);
  await store.close();
  return length;
}
