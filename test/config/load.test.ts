import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { redactConfig } from "../../src/admin/redacted-config.js";
import { loadAppConfig } from "../../src/app/load-config.js";
import { variableNamesOf } from "../../src/config/environment.js";
import { listSettings } from "../../src/config/list-settings.js";
import { ConfigFileSchema } from "../../src/config/schema.js";
import { describeStore } from "../../src/config/store-location.js";
import { localize, type Message } from "../../src/i18n/text.js";
import { currentToken, jwt } from "../accounts/import/jwt.js";

const [access, refresh] = [currentToken("access"), currentToken("refresh")];

async function fileWith(content: string | Buffer): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "moonbridge-config-")), "config.json");
  await writeFile(path, content);
  return path;
}

const inEnglish = (messages: readonly Message[]) => messages.map((message) => localize(message).en);

async function load(content: string | Buffer, environment: Record<string, string> = {}) {
  return loadAppConfig({ config: await fileWith(content) }, environment);
}

test("journal.texts is off by default, and a warning says what it does and how to switch it off", async () => {
  const config = await load("{}");
  expect([config.journal.texts, config.warnings]).toEqual([false, []]);
  const { journal, warnings } = await load('{"journal": {"texts": true}}');
  expect(journal.texts).toBe(true);
  expect(inEnglish(warnings)).toEqual([expect.stringMatching(/^journal\.texts is on: .* to false /)]);
});

describe("the short form of the config file, which is that of reverse-kimi", () => {
  test("is accepted unchanged, with comments and Bearer prefixes", async () => {
    const config = await load(`{
      "token": "12345678", // for example
      "auth_token": "Bearer ${access}",
      "refresh_token": "Bearer ${refresh}"
    }`);
    expect(config.keys).toEqual([{ name: "token", key: "12345678", scopes: ["chat", "admin"] }]);
    expect(config.upstreams).toEqual([
      { name: "kimi", kind: "kimi-web", accessToken: access, refreshToken: refresh },
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
    expect(inEnglish(config.warnings)).toEqual([
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
    const { upstreams } = await load(JSON.stringify({ refresh_token: refresh }));
    expect(upstreams).toEqual([{ name: "kimi", kind: "kimi-web", refreshToken: refresh }]);
  });
});

describe("the long form of the config file", () => {
  test("is read with all sections", async () => {
    const config = await load(`{
      "server": { "port": 7000, "cors": ["https://chat.example.org"], "unknownParameters": "ignore" },
      "keys": [{ "name": "nextchat", "key": "sk-1" }],
      "upstreams": [
        { "name": "me", "kind": "kimi-web", "baseUrl": "https://www.kimi.com", "accessToken": "Bearer ${access}" },
        { "name": "old", "kind": "kimi-legacy", "refreshToken": "bearer ${refresh}", "concurrency": 1 },
        { "name": "try-me", "kind": "simulator" },
      ],
      "routes": { "gpt-4o-mini": ["me"] },
      "modelAliases": { "gpt-*": "me/kimi-thinking" },
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
      accessToken: access,
    });
    expect(config.upstreams[1]).toEqual({
      name: "old",
      kind: "kimi-legacy",
      refreshToken: refresh,
      concurrency: 1,
    });
    expect(config.routes).toEqual({ "gpt-4o-mini": ["me"] });
    expect(config.modelAliases).toEqual({ "gpt-*": "me/kimi-thinking" });
    expect(describeStore(config.store)).toMatch(/moonbridge-config-.*\/state\/moonbridge\.db$/);
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
    const config = await loadAppConfig(
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

/** Loads these tokens as the two settings of an account, in the short form and in the long one. */
async function loadTokens({ accessToken, refreshToken }: { accessToken?: string; refreshToken?: string }) {
  const short = await load(JSON.stringify({ auth_token: accessToken, refresh_token: refreshToken }));
  const account = { name: "kimi", kind: "kimi-web", accessToken, refreshToken };
  const long = await load(JSON.stringify({ upstreams: [account] }));
  expect(long.upstreams).toEqual(short.upstreams);
  const { name: _, kind: __, ...tokens } = Object(short.upstreams[0]);
  return { tokens, warnings: inEnglish(short.warnings) };
}

describe("the tokens of an account are understood as moonbridge login understands them", () => {
  const both = { accessToken: access, refreshToken: refresh };
  const wrap = (text: string, by: string) => text.replace(/.{60}/g, (line) => line + by);
  test.each<[string, { accessToken?: string; refreshToken?: string }]>([
    ["line breaks", { accessToken: wrap(access, "\n"), refreshToken: wrap(refresh, "\r\n  ") }],
    ["zero-width spaces", { accessToken: wrap(access, "\u200b"), refreshToken: `\ufeff${refresh}\u200b` }],
    ["quotes", { accessToken: `"${access}"`, refreshToken: `'Bearer ${refresh}'` }],
    ["percent-encoded quotes", { accessToken: `%22${access}%22`, refreshToken: `%22${refresh}%22` }],
    ["a Bearer inside quotes", { accessToken: `"Bearer ${access}"`, refreshToken: `bearer  ${refresh} ` }],
    ["swapped settings", { accessToken: refresh, refreshToken: access }],
    [
      "a cookie header and a row of Local storage",
      {
        accessToken: `_ga=GA1.1.1; kimi-auth=${access}; theme=dark`,
        refreshToken: `refresh_token\t${refresh}`,
      },
    ],
    ["a whole Local storage in one", { accessToken: JSON.stringify({ a: access, refresh_token: refresh }) }],
    ["an older token beside the newest", { ...both, accessToken: `${currentToken("access", 60)} ${access}` }],
  ])("with %s", async (_name, settings) => {
    expect(await loadTokens(settings)).toEqual({ tokens: both, warnings: [] });
  });

  test("expired ones are kept, since the store may have what they were renewed to", async () => {
    const old = {
      accessToken: currentToken("access", 5_000),
      refreshToken: currentToken("refresh", 91 * 86_400),
    };
    expect(await loadTokens(old)).toEqual({ tokens: old, warnings: [] });
  });

  test.each<[string, string, RegExp]>([
    [
      "clipped",
      `${access.slice(0, 60)}…${access.slice(-20)}`,
      /^auth_token is not used: .* its middle is missing/,
    ],
    ["cut at its end", access.slice(0, -20), /^auth_token is not used: .* its end is missing/],
    ["no token", "abc", /^auth_token is not used: This looks like text/],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUv", /^auth_token is not used: .*"kind": "openai"/],
    ["another service's", jwt({ iss: "https://accounts.google.com" }), /^auth_token is not used: .*Google/],
    [
      "another service's login",
      `{"id_token":"${jwt({ iss: "https://accounts.google.com" })}","refresh_token":"rt.7c9e6679-7425-40de-944b-e07fc1f90ae7"}`,
      /^auth_token is not used: .*Google/,
    ],
    ["a sample's", "Bearer …", /^auth_token is still the sample's placeholder/],
    [
      "another user's",
      currentToken("access", 9, { sub: "d0000000000000000b00" }),
      /^auth_token holds a token of/,
    ],
  ])(
    "an access token that is %s leaves a good refresh token in use, with a warning",
    async (_name, bad, warning) => {
      const { tokens, warnings } = await loadTokens({ accessToken: bad, refreshToken: refresh });
      expect(tokens).toEqual({ refreshToken: refresh });
      expect(warnings).toEqual([expect.stringMatching(warning)]);
    },
  );

  test("a refresh token that is no JWT is kept, with a warning", async () => {
    const opaque = "rt.7c9e6679-7425-40de-944b-e07fc1f90ae7";
    expect(await loadTokens({ accessToken: access, refreshToken: `Bearer ${opaque}` })).toEqual({
      tokens: { accessToken: access, refreshToken: opaque },
      warnings: ["refresh_token has another form than Kimi's refresh tokens; it is kept."],
    });
  });

  test.each<[string, string, RegExp]>([
    ["clipped", `${refresh.slice(0, 60)}…`, /This token is not whole/],
    ["no token", "abc", /This looks like text\. It holds no token of Kimi's\./],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUv", /This is a key of Kimi's platform/],
    ["a cookie header without a login", "_ga=GA1.1.1; theme=dark", /There is no kimi-auth among them/],
  ])("one that is %s is refused at the start by the setting's name", async (_name, bad, reason) => {
    const short = load(JSON.stringify({ auth_token: access, refresh_token: bad }));
    await expect(short).rejects.toThrow(/^refresh_token: /);
    await expect(short).rejects.toThrow(reason);
    const long = load(
      JSON.stringify({ upstreams: [{ name: "old", kind: "kimi-legacy", accessToken: bad }] }),
    );
    await expect(long).rejects.toThrow(/^upstreams\[0\]\.accessToken: /);
    await expect(load("{}", { MOONBRIDGE_AUTH_TOKEN: bad })).rejects.toThrow(/^auth_token: /);
    for (const refused of [short, long]) await expect(refused).rejects.not.toThrow(bad.slice(0, 12));
  });

  test("one that is broken over lines in the file is named with its line", async () => {
    const broken = `{\n  "upstreams": [{\n    "name": "me", "kind": "kimi-web",\n    "refreshToken": "${wrap(refresh, "\n")}"\n  }]\n}`;
    await expect(load(broken)).rejects.toThrow(/, line 4, upstreams\[0\]\.refreshToken: .*no closing quote/);
    await expect(load(broken)).rejects.not.toThrow(/eyJ/);
  });

  test("the key of a service is freed from what copying adds, and refused if it cannot be sent", async () => {
    const withKey = (apiKey: string) =>
      load(JSON.stringify({ upstreams: [{ name: "p", kind: "openai", region: "ai", apiKey }] }));
    for (const apiKey of ['"sk-1"', "Bearer sk-1\n", "\u200bsk-1 ", "'Bearer sk-1'"])
      expect((await withKey(apiKey)).upstreams).toMatchObject([{ apiKey: "sk-1" }]);
    for (const apiKey of ["sk-1…2", "sk 1", "密钥"])
      await expect(withKey(apiKey)).rejects.toThrow(/^upstreams\[0\]\.apiKey: expected a key of the service/);
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

  test("expiry times at the edge of a day or a month are accepted", async () => {
    for (const expires of ["2028-02-29", "2026-12-31T24:00:00Z", "2026-03-01T00:30:00+08:00"])
      expect((await load(JSON.stringify({ keys: [{ name: "a", key: "k", expires }] }))).keys).toMatchObject([
        { expires },
      ]);
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
    [
      '{"upstreams": [{"name": "a", "kind": "kimi-web", "siteVersion": "SECRET"}]}',
      "upstreams[0].siteVersion: expected the version of Kimi's site, such as 2.3.0.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "kimi-web", "proxy": "socks4://me:CANARY@proxy.corp"}]}',
      "upstreams[0].proxy: expected none, or an http, https, socks5 or socks5h address.",
    ],
    [
      '{"upstreams": [{"name": "a", "kind": "simulator", "proxy": "none"}]}',
      "upstreams[0].proxy: there is no such setting.",
    ],
    ['{"routes": {"kimi": ["nobody"]}}', "routes.kimi: there is no upstream “nobody”."],
    ['{"modelAliases": {"gpt-4o": ["SECRET"]}}', "modelAliases.gpt-4o: expected a model's name."],
    ['{"modelAliases": {"gpt-4o": "kimi-*"}}', "modelAliases.gpt-4o: expected one model, not a pattern."],
    [
      '{"modelAliases": {"gpt-4o": "mine", "Mine": "kimi"}}',
      "modelAliases.gpt-4o: “mine” is an alias too; expected a model.",
    ],
    [
      '{"routes": {"gpt-4o": []}, "modelAliases": {"GPT-4o": "kimi"}}',
      "modelAliases.GPT-4o: routes.gpt-4o has this name already.",
    ],
    ['{"routes": {" kimi": []}}', "routes. kimi: expected a name without space around it."],
    [
      '{"upstreams": [{"name": "a", "kind": "simulator"}], "modelAliases": {"A/kimi": "kimi"}}',
      "modelAliases.A/kimi: “a/…” means a model of the upstream “a”.",
    ],
    [
      `{"upstreams": [
        {"name": "a", "kind": "simulator"},
        {"name": "b", "kind": "openai", "baseUrl": "http://127.0.0.1/v1", "models": ["b/own", "a/kimi"]}
      ]}`,
      "upstreams[1].models[1]: “a/…” means a model of the upstream “a”.",
    ],
    [
      '{"server": {"unknownParameters": "maybe"}}',
      'server.unknownParameters: expected "reject" or "ignore".',
    ],
    ['{"store": "SECRET"}', "store: expected sqlite: and a path, or a Redis URL."],
    ['{"store": "redis://:SECRET@/0"}', "store: expected redis://user:password@host:6379/0 or rediss://…"],
    ['{"store": "redis://:SECRET@host/one"}', "store: expected redis://user:password@host:6379/0"],
    ['{"store": "redis://:SECRET@host:99999"}', "store: expected redis://user:password@host:6379/0"],
    ['{"store": "rediss://:SECRET@host?db=1"}', "store: expected redis://user:password@host:6379/0"],
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
    ['{"keys": [{"name": "a", "key": "SECRET", "expires": "2026-02-30"}]}', "there is no such day or time."],
    [
      '{"keys": [{"name": "a", "key": "SECRET", "expires": "2027-02-29T10:00:00+08:00"}]}',
      "there is no such day or time.",
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
    ['{"auth_token": 17}', "auth_token: expected an access token, in quotes."],
    ['{"token": 12345678}', "token: expected an API key of your own choosing, in quotes."],
    ['{"keys": [{"name": "a", "key": 1}]}', "sha256: and its hash in hex, in quotes."],
    ['{"token": null}', "token: expected an API key of your own choosing."],
    ['{"server": {"port": "6867"}}', "server.port: expected a port from 0 (any) to 65535, without quotes."],
    [
      '{"files": {"allowPrivateLinks": "true"}}',
      "allowPrivateLinks: expected true or false, without quotes.",
    ],
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
    await expect(loadAppConfig({ config: "/nowhere/config.json" }, {})).rejects.toThrow(
      /there is no such file/,
    );
  });
});

describe("a config file as Windows' tools and input methods write it", () => {
  test.each<[string, Buffer, string]>([
    ["UTF-16 with a byte order mark", Buffer.from("\ufeff{}", "utf16le"), "this file is UTF-16, not UTF-8"],
    ["UTF-16 without one", Buffer.from('{"token": "SECRET"}', "utf16le"), "this file is UTF-16, not UTF-8"],
    ["big-endian UTF-16", Buffer.from("\ufeff{}", "utf16le").swap16(), "this file is UTF-16, not UTF-8"],
    [
      "a Chinese code page",
      Buffer.from([0x7b, 0x2f, 0x2f, 0xc4, 0xe3, 0x0a, 0x7d]),
      "this file is not UTF-8",
    ],
    [
      "typographic quotes",
      Buffer.from('{\n  “token”: "SECRET"\n}'),
      "line 2: this is not JSON (“ is no character",
    ],
    [
      "one typographic quote",
      Buffer.from('{\n  "token”: "SECRET"\n}'),
      "line 2: this is not JSON (” is no character",
    ],
    [
      "a full-width colon",
      Buffer.from('{\n  "token"："SECRET"\n}'),
      "(： is no character of it; write : instead)",
    ],
    ["a full-width brace", Buffer.from("｛}"), "(｛ is no character of it; write { instead)"],
  ])("is refused by name: %s", async (_name, content, message) => {
    await expect(load(content)).rejects.toThrow(message);
    await expect(load(content)).rejects.toThrow(/config\.json/);
    await expect(load(content)).rejects.not.toThrow(/SECRET/);
  });

  test("is not blamed for a full-width sign in a text beside an error", async () => {
    await expect(load('{"chores": {"patterns": ["标题：" "x"]}}')).rejects.toThrow(/CommaExpected/);
  });

  test("is read with a byte order mark, CRLF, and such characters in texts and comments", async () => {
    const config = await load(
      '\ufeff{\r\n  // “你好”：\r\n  "chores": { "patterns": ["“标题”："] }\r\n}\r\n',
    );
    expect(config.sideRequestPatterns).toEqual(["“标题”："]);
  });

  test("that is a folder is refused by name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "moonbridge-config-"));
    await expect(loadAppConfig({ config: folder }, {})).rejects.toThrow(
      `${folder}: this is a folder, not a file.`,
    );
    await expect(loadAppConfig({}, { MOONBRIDGE_CONFIG: folder })).rejects.toThrow(/this is a folder/);
  });
});

describe("a key that no request header can carry is refused:", () => {
  test.each([
    ["SECRET密钥"],
    ["SECRÉT"],
    ["SECRET\n"],
    ["SECRET\u0000"],
    [" SECRET"],
    ["“SECRET”"],
    ["Bearer SECRET"],
  ])("%j", async (key) => {
    const content = JSON.stringify({ keys: [{ name: "a", key }] });
    await expect(load(content)).rejects.toThrow("keys[0].key: no request header can carry this key.");
    await expect(load(content)).rejects.not.toThrow(/SECR/);
  });

  test.each([["密钥"], ["Bearer "], ["a\u200bb"]])("as a token: %j", async (token) => {
    const message = "token: no request header can carry this key.";
    await expect(load(JSON.stringify({ token }))).rejects.toThrow(message);
    await expect(load("{}", { MOONBRIDGE_TOKEN: token })).rejects.toThrow(message);
  });

  test("a malformed hash is as well, and other keys are accepted", async () => {
    const withKey = (key: string) => JSON.stringify({ keys: [{ name: "a", key }] });
    await expect(load(withKey("sha256:SECRET"))).rejects.toThrow(
      "expected 64 hexadecimal digits after sha256:",
    );
    for (const key of ["sk-1", "a b", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "x", `sha256:${"0".repeat(64)}`])
      expect((await load(withKey(key))).keys).toMatchObject([{ key }]);
  });
});

describe("environment variables", () => {
  test("lose the quotes and the space that docker --env-file keeps, with a warning", async () => {
    const config = await load("{}", {
      MOONBRIDGE_TOKEN: '"sk-1"',
      MOONBRIDGE_SERVER_PORT: "'7000'\r",
      MOONBRIDGE_LOG_LEVEL: " debug\r",
      MOONBRIDGE_UPSTREAMS: `'[{"name":"a","kind":"simulator"}]'`,
      MOONBRIDGE_CHATS_MODE: '""',
      MOONBRIDGE_ENCRYPTION_KEY: `"${"0".repeat(64)}"`,
    });
    expect(config).toMatchObject({
      keys: [{ key: "sk-1" }],
      server: { port: 7000 },
      log: { level: "debug" },
      upstreams: [{ name: "a" }],
      chats: { mode: "native" },
    });
    expect(config.encryptionKeys).toHaveLength(1);
    expect(inEnglish(config.warnings).toSorted()).toEqual(
      ["CHATS_MODE", "ENCRYPTION_KEY", "SERVER_PORT", "TOKEN", "UPSTREAMS"].map(
        (name) => `MOONBRIDGE_${name}: the quotes around its value were taken off.`,
      ),
    );
  });

  test("set every setting that has a default, lists of them by commas", async () => {
    const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
    const withDefault = listSettings(ConfigFileSchema).filter(
      ({ path, schema }) => path[0] !== "oauth" && schema.default !== undefined,
    );
    const variables = withDefault.map(({ path, schema }) => [
      variableNamesOf(path).at(-1),
      asText(schema.default),
    ]);
    const path = await fileWith("{}");
    const byDefault = await loadAppConfig({ config: path }, {});
    expect(await loadAppConfig({ config: path }, Object.fromEntries(variables))).toEqual(byDefault);
    expect(withDefault.length).toBeGreaterThan(20);
  });

  test("set numbers with fractions where the setting has them, and regular expressions with commas as JSON", async () => {
    expect((await load("{}", { MOONBRIDGE_CHATS_KEEP_HOURS: "0.5" })).chats.keepHours).toBe(0.5);
    await expect(load("{}", { MOONBRIDGE_CHATS_KEEP_HOURS: "1e3" })).rejects.toThrow("expected a number");
    await expect(load("{}", { MOONBRIDGE_QUEUE_DEPTH: "0.5" })).rejects.toThrow("expected a whole number");
    const { sideRequestPatterns } = await load("{}", { MOONBRIDGE_CHORES_PATTERNS: '["a{1,2}"]' });
    expect(sideRequestPatterns).toEqual(["a{1,2}"]);
    await expect(load("{}", { MOONBRIDGE_CHORES_PATTERNS: "a{1,2}" })).rejects.toThrow("expected JSON");
  });

  test("leave the other settings of a section as the file has them, also in its short form", async () => {
    const variables = { MOONBRIDGE_CHATS_KEEP_HOURS: "2" };
    expect((await load('{"chats": "ephemeral"}', variables)).chats).toMatchObject({
      mode: "ephemeral",
      keepHours: 2,
    });
    expect((await load('{"chats": {"windows": "new"}}', variables)).chats).toMatchObject({
      windows: "new",
      keepHours: 2,
    });
  });

  test("that do not exist lead to a warning with the nearest one", async () => {
    const { warnings } = await load("{}", {
      MOONBRIDGE_TOKN: "SECRET",
      moonbridge_store: "SECRET",
      MOONBRIDGE_SERVER_PROT: "SECRET",
      MOONBRIDGE_SOMETHING_ELSE_ENTIRELY: "SECRET",
    });
    expect(inEnglish(warnings)).toEqual([
      "There is no variable MOONBRIDGE_TOKN. The nearest is MOONBRIDGE_TOKEN.",
      "There is no variable moonbridge_store. The nearest is MOONBRIDGE_STORE.",
      "There is no variable MOONBRIDGE_SERVER_PROT. The nearest is MOONBRIDGE_SERVER_PORT.",
      "There is no variable MOONBRIDGE_SOMETHING_ELSE_ENTIRELY. It is not used.",
    ]);
  });

  test("of Kubernetes, of the shell and of other programs lead to none", async () => {
    const { warnings } = await load("{}", {
      MOONBRIDGE_SERVICE_HOST: "10.0.0.7",
      MOONBRIDGE_SERVICE_PORT_HTTP: "6867",
      MOONBRIDGE_PORT: "tcp://10.0.0.7:6867",
      MOONBRIDGE_PORT_6867_TCP: "tcp://10.0.0.7:6867",
      MOONBRIDGE_PORT_6867_TCP_ADDR: "10.0.0.7",
      MOONBRIDGE_KEY: "sk-1",
      MOONBRIDGE_CONFIG: "",
      PATH: '"/bin"',
    });
    expect(warnings).toEqual([]);
  });
});

test("a Redis is the store by its URL, and is named without user and password", async () => {
  const url = "rediss://you:CANARY@redis.example:6380/3";
  const config = await load(JSON.stringify({ store: url }));
  expect(config.store).toEqual({ kind: "redis", url });
  expect(describeStore(config.store)).toBe("rediss://redis.example:6380/3");
  expect(JSON.stringify(redactConfig(config))).not.toMatch(/CANARY|you/);
  expect(inEnglish(config.warnings)).toEqual([
    expect.stringMatching(
      /^Uploaded files are on this machine only, in .*moonbridge-files\. Set files\.folder/,
    ),
  ]);
  const shared = await load(JSON.stringify({ store: url, files: { folder: "./shared" } }));
  expect(shared.warnings).toEqual([]);
});
