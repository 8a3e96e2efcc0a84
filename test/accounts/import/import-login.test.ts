import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeImport, type ImportDescription } from "../../../src/accounts/import/describe-import.js";
import { type ImportedLogin, importLogin } from "../../../src/accounts/import/import-login.js";
import { limits } from "../../../src/core/limits.js";
import { currentToken, jwt, legacyToken, user } from "./jwt.js";
import { pastes, wrapLines } from "./pastes.js";

const [access, refresh] = [currentToken("access"), currentToken("refresh")];

function linesOf({ summary, rows, notes }: ImportDescription): string[] {
  const table = rows.map(({ label, value }) => `  ${label.en.padEnd(13)}  ${value.en}`);
  return [summary.en, ...table, ...notes.map(({ en }) => en)];
}

/** The text that the user sees for a paste. Fails if it contains any part of a token. */
function describePaste(pasted: string, ...secrets: string[]): string {
  const result = importLogin(pasted);
  const output = result.kind === "nothing" ? result.problem.en : linesOf(describeImport(result)).join("\n");
  for (const secret of [access, refresh, ...secrets]) {
    for (let at = 0; at + 9 <= secret.length; at++)
      expect(output.includes(secret.slice(at, at + 9)), `shows a part of a token: ${output}`).toBe(false);
  }
  return output;
}

function importOrThrow(pasted: string): ImportedLogin {
  const result = importLogin(pasted);
  if (result.kind === "nothing") throw new Error(result.problem.en);
  return result;
}

describe("finds both tokens in", () => {
  test.each(Object.entries(pastes))("%s", (_name, paste) => {
    const pasted = paste(access, refresh);
    expect(importOrThrow(pasted)).toMatchObject({
      tokens: { accessToken: access, refreshToken: refresh },
      site: "kimi.ai",
      isSiteAssumed: false,
      user,
      generation: "pair",
      otherUsers: [],
      hasTruncatedToken: false,
    });
    expect(describePaste(pasted)).toMatch(
      /^ {2}access token {3}expires in 15 minutes \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)$/m,
    );
    expect(describePaste(pasted)).toMatch(/^ {2}refresh token {2}expires in 90 days/m);
  });

  test("any supported format, and names the format", () => {
    const format = (name: string) => importOrThrow(pastes[name]?.(access, refresh) ?? "").format.en;
    expect(format("a HAR file")).toBe("a HAR file");
    expect(format("copy as cURL, Windows")).toBe("a cURL command");
    expect(format("rows copied from DevTools")).toBe("a copy of Local storage");
    expect(format("our config")).toBe("a config file");
    expect(format("two tokens, one per line")).toBe("text");
  });

  test("any JSON, surrounded by any white space and other values", () => {
    const innocent = fc.string({ unit: "grapheme" });
    const nested = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constant(""),
        fc.tuple(innocent, tie("json")).map(([key, value]) => ({ [key]: value, access: `Bearer ${access}` })),
        fc.array(tie("json"), { maxLength: 3 }).map((list) => [...list, refresh]),
        fc.tuple(tie("json"), fc.nat(4)).map(([value, indent]) => JSON.stringify(value, null, indent)),
      ),
    })).json;
    const space = fc.string({
      unit: fc.constantFrom(" ", "\t", "\n", "\r\n", "\ufeff", "\u200b"),
      maxLength: 9,
    });
    fc.assert(
      fc.property(nested, space, space, fc.nat(4), (json, before, after, indent) => {
        const pasted = before + JSON.stringify([json, access, { refresh }], null, indent) + after;
        expect(importOrThrow(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
      }),
    );
  });

  test("text that is wrapped at any width", () => {
    const newline = fc.constantFrom("\n", "\r\n", "\n    ", " \\\n", "\\n", "\u200b", " ");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), newline, (width, separator) => {
        const pasted = wrapLines(`${access}\n${refresh}`, width, separator);
        expect(importOrThrow(pasted)).toMatchObject({
          tokens: { accessToken: access, refreshToken: refresh },
          hasTruncatedToken: false,
        });
        describePaste(pasted);
      }),
    );
  });
});

describe("several tokens", () => {
  test("picks the newest of each kind", () => {
    const pasted = [
      currentToken("access", 500),
      access,
      currentToken("refresh", 900),
      refresh,
      currentToken("access", 100),
    ].join("\n");
    expect(importOrThrow(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
  });

  test("picks the user of the newest token, and names the other user", () => {
    const other = currentToken("refresh", 60, { sub: "d0000000000000000b00" });
    const pasted = [other, currentToken("access", 120, { sub: "d0000000000000000b00" }), access].join(" ");
    expect(importOrThrow(pasted)).toMatchObject({
      tokens: { accessToken: access },
      user,
      otherUsers: ["d0000000000000000b00"],
    });
    expect(describePaste(pasted, other)).toContain(
      "Left out: tokens of another user (d0000000000000000b00).",
    );
  });

  test("ignores an expired access token next to a valid refresh token", () => {
    const pasted = `${currentToken("access", 901)} ${refresh}`;
    expect(importOrThrow(pasted)).toMatchObject({
      tokens: { refreshToken: refresh },
      hasExpiredAccessToken: true,
    });
    expect(importOrThrow(pasted).tokens).not.toHaveProperty("accessToken");
    expect(describePaste(pasted)).toMatch(/has expired; that does no harm/);
  });

  test("uses a complete token and mentions a truncated one", () => {
    const pasted = `${access}\n${refresh.slice(0, -30)}`;
    expect(importOrThrow(pasted)).toMatchObject({ tokens: { accessToken: access }, hasTruncatedToken: true });
    expect(describePaste(pasted)).toMatch(/Left out: a token that was not copied whole/);
  });

  test("ignores tokens of other services and platform keys", () => {
    const pasted = `sk-abcdefghijklmnopqrstuvwxyz ${jwt({ iss: "https://accounts.google.com" }, "HS256")} ${refresh}`;
    expect(importOrThrow(pasted).tokens).toEqual({ refreshToken: refresh });
  });
});

describe("generation and site of the login", () => {
  test("explains where to find the refresh token if only an access token was pasted", () => {
    expect(importOrThrow(access).generation).toBe("pair");
    expect(describePaste(access)).toMatch(/refresh token is missing: .*Local storage/);
  });

  test("asks for nothing more if only a refresh token was pasted", () => {
    expect(describePaste(refresh)).toMatch(/no access token; that does no harm/);
    expect(describePaste(refresh)).not.toMatch(/F12/);
  });

  test("recognises the 30-day cookie of the older site, which cannot be refreshed", () => {
    const cookie = legacyToken("access", 86_400);
    const pasted = `kimi-auth=${cookie}; other=1`;
    expect(importOrThrow(pasted)).toMatchObject({
      generation: "cookie",
      site: "kimi.com",
      isSiteAssumed: true,
    });
    expect(describePaste(pasted, cookie)).toMatch(/30-day token of a kimi-auth cookie in cookies:/);
    expect(describePaste(pasted, cookie)).toMatch(/expires in 29 days/);
    expect(describePaste(pasted, cookie)).toMatch(/No refresh token belongs to this cookie/);
  });

  test("accepts a refresh token of the older site with a warning", () => {
    const token = legacyToken("refresh");
    expect(importOrThrow(token)).toMatchObject({ generation: "legacy", tokens: { refreshToken: token } });
    expect(describePaste(token, token)).toMatch(/issued by the older site\. Kimi may no longer renew it/);
  });

  test("takes the site from the surrounding text if the token does not name it", () => {
    const cookie = legacyToken("access");
    expect(importOrThrow(`curl 'https://www.kimi.ai/x' -b 'kimi-auth=${cookie}'`)).toMatchObject({
      site: "kimi.ai",
      isSiteAssumed: false,
    });
    expect(importOrThrow(`kimi-auth\t${cookie}\t.kimi.com\t/`)).toMatchObject({
      site: "kimi.com",
      isSiteAssumed: false,
    });
    expect(importOrThrow(`kimi.com kimi.ai ${cookie}`)).toMatchObject({
      site: "kimi.com",
      isSiteAssumed: true,
    });
  });

  test("suspects a wrong clock if the token was issued in the future", () => {
    expect(describePaste(currentToken("access", -86_400))).toMatch(/is the clock of this machine right/);
  });

  test("describes tokens with invalid times without an error", () => {
    for (const exp of [1e300, -1e300, null, "soon", 8.64e12 + 1])
      describePaste(currentToken("refresh", 0, { exp, iat: exp }));
  });
});

describe("a refresh token that is no JWT", () => {
  const opaque = "rt.7c9e6679-7425-40de-944b-e07fc1f90ae7";

  test.each<[string, string]>([
    ["JSON", JSON.stringify({ access_token: access, refresh_token: opaque }, null, 2)],
    ["JSON in JSON", JSON.stringify(JSON.stringify({ access_token: access, refreshToken: opaque }))],
    ["keys and values", JSON.stringify([{ key: "refresh_token", value: opaque }, access])],
    ["rows of DevTools", `access_token\t${access}\nrefresh_token\t${opaque}\nvolcano-token-info\t{}`],
    ["a cookie header", `kimi-auth=${access}; refresh_token=${opaque}; theme=dark`],
    ["a config", `"auth_token": "Bearer ${access}", "refresh_token": "Bearer ${opaque}"`],
  ])("is kept with a word if it stands in its field: %s", (_name, pasted) => {
    expect(importOrThrow(pasted)).toMatchObject({
      tokens: { accessToken: access, refreshToken: opaque },
      generation: "pair",
    });
    expect(describePaste(pasted, opaque)).toMatch(/has another form than Kimi's; it is kept/);
  });

  test("is enough beside an expired access token, which names user and site", () => {
    const expired = currentToken("access", 901);
    expect(importOrThrow(`access_token\t${expired}\nrefresh_token\t${opaque}`)).toMatchObject({
      tokens: { refreshToken: opaque },
      user,
      site: "kimi.ai",
    });
  });

  test.each<[string, string]>([
    ["a JWT beside it", `${access} refresh_token=${opaque}x refresh_token=${refresh}`],
    [
      "an empty field",
      `${JSON.stringify({ refresh_token: "", "some-other-long-key-2": "" })} ${access} ${refresh}`,
    ],
    ["a placeholder", `refresh_token: "your-refresh-token-goes-here" ${access} ${refresh}`],
    ["a platform key", `refresh_token: "sk-AbCdEfGhIjKlMnOpQrStUv12" ${access} ${refresh}`],
  ])("is none of this: %s", (_name, pasted) => {
    expect(importOrThrow(pasted)).toMatchObject({
      tokens: { accessToken: access, refreshToken: refresh },
      isRefreshTokenOpaque: false,
    });
  });

  test("of another service is not taken for Kimi's", () => {
    const google = jwt({ iss: "https://accounts.google.com" });
    const pasted = JSON.stringify({ id_token: google, refresh_token: opaque });
    expect(importLogin(pasted).kind).toBe("nothing");
    expect(importLogin('{"refresh_token":"1//0gAbCdEfGhIjKlMnOpQrStUv"}').kind).toBe("nothing");
  });
});

describe("explains a paste without a usable login:", () => {
  const google = jwt({ iss: "https://accounts.google.com", sub: "1" }, "HS256");
  const openai = jwt({ iss: "https://auth.openai.com/", sub: "1" }, "HS256");
  const encrypted = `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString("base64url")}..aaaa.bbbb.cccc`;
  const har = JSON.stringify({
    log: { entries: [{ request: { url: "https://www.kimi.com", headers: [] } }] },
  });
  const middle = `${access.slice(0, 80)}${access.slice(90)}`;

  test.each<[string, string, RegExp]>([
    ["an empty paste", " \n\t", /Nothing was pasted\. Log in on Kimi's site, press F12/],
    ["a token cut at its end", access.slice(0, -20), /its end is missing\. Double-click/],
    ["a token cut inside its claims", access.slice(0, 100), /its end is missing/],
    ["a token without its middle", middle, /its middle is missing/],
    ["a token shortened by DevTools", `${access.slice(0, 60)}…${access.slice(-20)}`, /its middle is missing/],
    ["a token shortened by hand", `${access.slice(0, -60)}...${access.slice(-20)}`, /its middle is missing/],
    ["the first letters of a token", `Bearer ${access.slice(0, 30)}`, /only a part of a token/],
    ["the last letters of a token", access.slice(60), /holds no token of Kimi's/],
    [
      "an expired access token",
      currentToken("access", 4_500),
      /access token expired 60 minutes ago \(.*UTC\)\. Such tokens live 15 minutes/,
    ],
    ["an expired refresh token", currentToken("refresh", 91 * 86_400), /refresh token expired 24 hours ago/],
    ["an expired cookie", legacyToken("access", 33 * 86_400), /access token expired 3 days ago/],
    ["a token of Google", google, /belongs to Google/],
    ["an opaque token of Google", "ya29.a0AfH6SMBx-abcdefg", /belongs to Google/],
    ["a token of OpenAI", openai, /belongs to OpenAI/],
    ["a token of another service", jwt({ sub: "1", typ: "access" }), /belongs to another service/],
    ["an encrypted token", encrypted, /only a part of a token, or a token of another service/],
    [
      "a token of Kimi for another program",
      currentToken("access", 0, { app_id: "kimi-code" }),
      /Kimi, for another purpose/,
    ],
    [
      "a token of Kimi of another kind",
      currentToken("access", 0, { typ: "device" }),
      /Kimi, for another purpose/,
    ],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUvWxYz", /platform.*"kind": "openai"/],
    ["an API key of Moonbridge", "sk-moonbridge-AbCdEfGhIjKlMnOp", /Moonbridge's own/],
    ["a key of another vendor", "sk-proj-AbCdEfGhIjKlMnOpQrSt", /another vendor's/],
    ["HTML", "<!DOCTYPE html><html><body>Kimi</body></html>", /looks like a web page/],
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").toString(), /a picture/],
    ["a data URL of a picture", "data:image/png;base64,iVBORw0KGgo=", /a picture/],
    ["a HAR without secrets", har, /HAR file\. .*“HAR with sensitive data”/],
    [
      "a request without a login",
      "curl 'https://www.kimi.com/' -H 'accept: */*'",
      /cURL command\. It carries no login/,
    ],
    ["cookies without a login", "_ga=GA1.1.1; theme=dark", /no kimi-auth among them/],
    ["an empty Local storage", '{"access_token":"","msh_user_id":""}', /Perhaps nobody is logged in there/],
    [
      "a config with placeholders",
      '{"token":"1","auth_token":"Bearer …"}',
      /config file\. It holds no token/,
    ],
    ["a sentence", "hello", /looks like text/],
  ])("%s", (_name, pasted, sentence) => {
    expect(describePaste(pasted, google, openai)).toMatch(sentence);
  });

  test("a paste over the size limit", () => {
    expect(describePaste("x".repeat(limits.pasted + 1))).toMatch(/larger than 64 MB/);
  });
});

describe("arbitrary input", () => {
  const [header = "", payload = "", signature = ""] = access.split(".");
  const fragments = fc.constantFrom(
    ...[
      "eyJ",
      ".",
      header,
      payload,
      signature,
      access,
      "\n",
      "\\n",
      " ",
      "…",
      "Bearer ",
      "kimi-auth=",
      '{"log":',
    ],
    ...[
      "curl ",
      "sk-",
      "<html>",
      "eyJhbGciOiJIUzUxMiJ9",
      "eyJlbmMiOiIifQ",
      "e30",
      "-",
      "_",
      "\ufffd",
      "\0",
      "%20",
    ],
  );

  test("never throws and never shows a part of a token", () => {
    const garbage = fc.oneof(fc.string({ unit: "binary", maxLength: 2_000 }), fc.string({ unit: fragments }));
    fc.assert(fc.property(garbage, (pasted) => void describePaste(pasted)));
  });

  test("finds the login at the end of a 50 MB HAR with binary content", () => {
    const picture = randomBytes(36 * 1_024 * 1_024).toString("base64");
    const pasted = JSON.stringify({ log: { entries: [picture, `Bearer ${access}`, { refresh }] } });
    expect(importOrThrow(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
  });

  // An algorithm slower than linear would exceed the test's timeout.
  test.each([
    "eyJ",
    "eyJ\n",
    "eyJ.",
    `${header}.`,
    `${header}.eyJ`,
    `${header}.${payload}\n`,
    "eyJ eyJ.",
    " ",
    "\\",
    "a=",
    "{",
  ])("scans 8 MB of %j in linear time", (scrap) => {
    expect(importLogin(scrap.repeat(Math.floor(limits.pasted / 8 / scrap.length))).kind).toBe("nothing");
    expect(importLogin(scrap.repeat(Math.floor(limits.pastedByHand / scrap.length))).kind).toBe("nothing");
  });
});
