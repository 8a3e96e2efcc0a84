import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.js";

async function fileWith(content: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "moonbridge-config-")), "config.json");
  await writeFile(path, content);
  return path;
}

async function load(content: string, environment: Record<string, string> = {}) {
  return loadConfig({ config: await fileWith(content) }, environment);
}

describe("the short form of the config file, which is that of reverse-kimi", () => {
  test("is accepted unchanged, with comments and Bearer prefixes", async () => {
    const config = await load(`{
      "token": "12345678", // for example
      "auth_token": "Bearer access",
      "refresh_token": "Bearer refresh"
    }`);
    expect(config.keys).toEqual([{ name: "token", key: "12345678", scopes: ["chat", "admin"] }]);
    expect(config.upstreams).toEqual([
      { name: "kimi", kind: "kimi-web", accessToken: "access", refreshToken: "refresh" },
    ]);
    expect(config.server).toMatchObject({
      host: "127.0.0.1",
      port: 6867,
      cors: ["*"],
      unknownParameters: "reject",
    });
  });

  test("with placeholders as tokens configures no account and adds warnings", async () => {
    const config = await load(
      '{"token": "12345678", "auth_token": "Bearer ...", "refresh_token": "Bearer …"}',
    );
    expect(config.upstreams).toEqual([]);
    expect(config.warnings).toEqual([
      "auth_token is still the sample's placeholder and is not used.",
      "refresh_token is still the sample's placeholder and is not used.",
    ]);
  });

  test("accepts the chat mode alone for chats, which default to native for a day", async () => {
    expect((await load('{"chats": "ephemeral"}')).chats).toEqual({
      mode: "ephemeral",
      keepHours: 24,
      windows: "continue",
    });
    expect((await load("{}")).chats).toEqual({ mode: "native", keepHours: 24, windows: "continue" });
    expect((await load("{}", { MOONBRIDGE_CHATS_MODE: "merged" })).chats.mode).toBe("merged");
  });

  test("needs only one of the two tokens", async () => {
    const { upstreams } = await load('{"refresh_token": "refresh"}');
    expect(upstreams).toEqual([{ name: "kimi", kind: "kimi-web", refreshToken: "refresh" }]);
  });
});

describe("the long form of the config file", () => {
  test("is read with all sections", async () => {
    const config = await load(`{
      "server": { "port": 7000, "cors": ["https://chat.example.org"], "unknownParameters": "ignore" },
      "keys": [{ "name": "nextchat", "key": "sk-1" }],
      "upstreams": [
        { "name": "me", "kind": "kimi-web", "baseUrl": "https://www.kimi.com", "accessToken": "Bearer a" },
        { "name": "old", "kind": "kimi-legacy", "refreshToken": "bearer r", "concurrency": 1 },
        { "name": "try-me", "kind": "simulator" },
      ],
      "routes": { "gpt-4o-mini": ["me"] },
      "store": "sqlite:./state/moonbridge.db",
      "chats": { "mode": "merged", "keepHours": 2 },
      "chores": { "patterns": ["^name this"] },
      "citations": "footer",
      "log": { "level": "debug" }
    }`);
    expect(config.server.port).toBe(7000);
    expect(config.upstreams[0]).toEqual({
      name: "me",
      kind: "kimi-web",
      baseUrl: "https://www.kimi.com",
      accessToken: "a",
    });
    expect(config.upstreams[1]).toEqual({
      name: "old",
      kind: "kimi-legacy",
      refreshToken: "r",
      concurrency: 1,
    });
    expect(config.routes).toEqual({ "gpt-4o-mini": ["me"] });
    expect(config.storePath).toMatch(/moonbridge-config-.*\/state\/moonbridge\.db$/);
    expect(config.chats).toEqual({ mode: "merged", keepHours: 2, windows: "continue" });
    expect(config.sideRequestPatterns).toEqual(["^name this"]);
    expect(config.citations).toBe("footer");
    expect(config.log.level).toBe("debug");
  });

  test("accepts openai upstreams by baseUrl or region, with or without Bearer in the key", async () => {
    const config = await load(`{ "upstreams": [
      { "name": "p", "kind": "openai", "region": "cn", "apiKey": "Bearer sk-1", "concurrency": 1 },
      { "name": "v", "kind": "openai", "baseUrl": "http://127.0.0.1:8000/v1", "models": ["a/b"] }
    ] }`);
    expect(config.upstreams).toEqual([
      { name: "p", kind: "openai", region: "cn", apiKey: "sk-1", concurrency: 1 },
      { name: "v", kind: "openai", baseUrl: "http://127.0.0.1:8000/v1", models: ["a/b"] },
    ]);
  });

  test("is overridden by the environment, and that by the command line", async () => {
    const config = await loadConfig(
      { config: await fileWith('{"server": {"port": 1000, "host": "127.0.0.1"}}'), port: 3000 },
      {
        PORT: "1500",
        MOONBRIDGE_SERVER_PORT: "2000",
        HOST: "127.0.0.2",
        MOONBRIDGE_KEYS: '[{"name":"env","key":"sk-env"}]',
        MOONBRIDGE_SERVER_CORS: "https://a.example, https://b.example",
        MOONBRIDGE_LOG_LEVEL: "",
      },
    );
    expect(config.server).toMatchObject({
      port: 3000,
      host: "127.0.0.2",
      cors: ["https://a.example", "https://b.example"],
    });
    expect(config.keys).toEqual([{ name: "env", key: "sk-env" }]);
    expect(config.log.level).toBe("info");
  });
});

describe("keys and oauth", () => {
  test("are read with all their settings", async () => {
    const config = await load(`{
      "keys": [{
        "name": "phone", "key": "sk-1", "scopes": ["chat"], "models": ["kimi"], "upstreams": ["try-me"],
        "requestsPerMinute": 60, "concurrency": 2, "expires": "2026-12-31", "chats": "ephemeral", "citations": "off"
      }],
      "oauth": { "issuer": "https://id.example.org/realm", "audience": "moonbridge", "scope": "chat" },
      "upstreams": [{ "name": "try-me", "kind": "simulator" }]
    }`);
    expect(config.keys[0]).toMatchObject({ name: "phone", models: ["kimi"], requestsPerMinute: 60 });
    expect(config.oauth).toMatchObject({
      audience: "moonbridge",
      scope: "chat",
      adminScope: "moonbridge:admin",
    });
    expect(config.oauth?.algorithms).toContain("EdDSA");
    expect(config.oauth?.algorithms.filter((name) => /^(HS|none)/.test(name))).toEqual([]);
    expect((await load("{}")).oauth).toBeUndefined();
  });

  test("can be set by the environment", async () => {
    const { oauth } = await load("{}", {
      MOONBRIDGE_OAUTH_ISSUER: "http://127.0.0.1:8080",
      MOONBRIDGE_OAUTH_AUDIENCE: "moonbridge",
      MOONBRIDGE_OAUTH_SCOPE: "chat",
      MOONBRIDGE_OAUTH_ADMIN_SCOPE: "boss",
      MOONBRIDGE_OAUTH_ALGORITHMS: "ES256,RS256",
    });
    expect(oauth).toEqual({
      issuer: "http://127.0.0.1:8080",
      audience: "moonbridge",
      scope: "chat",
      adminScope: "boss",
      algorithms: ["ES256", "RS256"],
    });
  });
});

describe("an error names the setting and what was expected, without its value", () => {
  test.each([
    ['{"server": {"port": "SECRET"}}', "server.port: expected a port from 0 (any) to 65535."],
    ['{"server": {"prot": 1}}', "server.prot: there is no such setting."],
    ['{"sever": {}}', "sever: there is no such setting."],
    ['{"keys": [{"name": "a"}]}', "keys[0].key: this setting is missing."],
    [
      '{"keys": [{"name": "a b", "key": "SECRET"}]}',
      "keys[0].name: expected 1 to 64 letters, digits, . _ or -.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "SECRET"}]}',
      "upstreams[0].kind: expected kimi-web or kimi-legacy or openai or simulator.",
    ],
    ['{"upstreams": [{"name": "a"}]}', "upstreams[0].kind: this setting is missing."],
    [
      '{"upstreams": [{"name": "a", "kind": "kimi-web", "baseUrl": "SECRET"}]}',
      "upstreams[0].baseUrl: expected an http or https address.",
    ],
    [
      '{"upstreams": [{"name":"a","kind":"simulator"},{"name":"a","kind":"simulator"}]}',
      "upstreams[1].name: another one has this name already.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "openai", "apiKey": "SECRET"}]}',
      "upstreams[0]: expected either baseUrl or region.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "openai", "region": "ai"}]}',
      "upstreams[0].apiKey: this setting is missing.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "openai", "region": "SECRET"}]}',
      'upstreams[0].region: expected "ai" or "cn".',
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "kimi-legacy", "concurrency": 0}]}',
      "upstreams[0].concurrency: expected how many answers at a time, from 1.",
    ],
    ['{"routes": {"kimi": ["nobody"]}}', "routes.kimi: there is no upstream “nobody”."],
    [
      '{"server": {"unknownParameters": "maybe"}}',
      'server.unknownParameters: expected "reject" or "ignore".',
    ],
    ['{"store": "SECRET"}', "store: expected sqlite: and a path."],
    ['{"citations": "SECRET"}', 'citations: expected "inline", "footer", "annotations" or "off".'],
    ['{"chats": "SECRET"}', 'chats.mode: expected "native", "merged" or "ephemeral".'],
    ['{"chats": {"keepHours": 0}}', "chats.keepHours: expected hours, more than 0 and at most 8760."],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "chats": "x"}]}',
      'keys[0].chats: expected "native", "merged" or "ephemeral".',
    ],
    ['{"chores": {"patterns": ["(SECRET"]}}', "chores.patterns[0]: expected a regular expression."],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "scopes": ["SECRET"]}]}',
      'keys[0].scopes[0]: expected "chat" or "admin".',
    ],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "scopes": []}]}',
      'keys[0].scopes: expected a list of "chat" and "admin".',
    ],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "concurrency": 0}]}',
      "keys[0].concurrency: expected a whole number from 1 to 10000.",
    ],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "expires": "soon"}]}',
      "keys[0].expires: expected a date such as 2026-12-31, or",
    ],
    [
      '{"token": "SECRET", "keys": [{"name": "a", "key": "SECRET", "expires": "2026-13-31"}]}',
      "keys[0].expires: there is no such day or time.",
    ],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "upstreams": ["nobody"]}]}',
      "keys[0].upstreams: there is no upstream “nobody”.",
    ],
    ['{"oauth": {"issuer": "https://id.example.org"}}', "oauth.audience: this setting is missing."],
    [
      '{"oauth": {"issuer": "http://id.example.org", "audience": "SECRET"}}',
      "oauth.issuer: expected an https address; http only on this machine.",
    ],
    [
      '{"oauth": {"issuer": "http://localhost.example.org", "audience": "SECRET"}}',
      "oauth.issuer: expected an https address",
    ],
    [
      '{"oauth": {"issuer": "http://localhost@id.example.org", "audience": "SECRET"}}',
      "oauth.issuer: expected an https address",
    ],
    [
      '{"oauth": {"issuer": "https://id.example.org", "audience": "SECRET", "algorithms": ["HS256"]}}',
      "oauth.algorithms[0]: expected RS256, ",
    ],
    [
      '{"oauth": {"issuer": "https://id.example.org", "audience": "SECRET", "algorithms": ["none"]}}',
      "oauth.algorithms[0]: expected RS256, ",
    ],
    ['{"auth_token": 17}', "auth_token: expected an access token."],
  ])("%s: %s", async (content, message) => {
    await expect(load(content)).rejects.toThrow(message);
    await expect(load(content)).rejects.not.toThrow(/SECRET/);
  });

  test("names the line for invalid JSON", async () => {
    await expect(load('{\n  "token": "a"\n  "auth_token": "SECRET"\n}')).rejects.toThrow(
      /line 3: this is not JSON/,
    );
    await expect(load("[]")).rejects.toThrow(/expected an object in braces/);
  });

  test("names the environment variable", async () => {
    await expect(load("{}", { PORT: "eighty" })).rejects.toThrow("PORT: expected a whole number.");
    await expect(load("{}", { MOONBRIDGE_KEYS: "[{" })).rejects.toThrow("MOONBRIDGE_KEYS: expected JSON.");
  });

  test("reports a missing file that was given explicitly", async () => {
    await expect(loadConfig({ config: "/nowhere/config.json" }, {})).rejects.toThrow(/there is no such file/);
  });
});
