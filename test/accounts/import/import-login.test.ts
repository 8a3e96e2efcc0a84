import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describe as inWords } from "../../../src/accounts/import/describe-import.js";
import { type Login, recognise } from "../../../src/accounts/import/import-login.js";
import { limits } from "../../../src/core/limits.js";
import { jwt, older, today, user } from "../intake/jwt.js";
import { pastes, wrapped } from "../intake/pastes.js";

const [access, refresh] = [today("access"), today("refresh")];

/** All that a person would see of it; fails if any part of a token is among it. */
function shown(pasted: string, ...secrets: string[]): string {
  const found = recognise(pasted);
  const output = found.kind === "nothing" ? found.problem : inWords(found).join("\n");
  for (const secret of [access, refresh, ...secrets]) {
    for (let at = 0; at + 9 <= secret.length; at++)
      expect(output.includes(secret.slice(at, at + 9)), `shows a part of a token: ${output}`).toBe(false);
  }
  return output;
}

function login(pasted: string): Login {
  const found = recognise(pasted);
  if (found.kind === "nothing") throw new Error(found.problem);
  return found;
}

describe("both tokens are found", () => {
  test.each(Object.entries(pastes))("%s", (_name, paste) => {
    const pasted = paste(access, refresh);
    expect(login(pasted)).toMatchObject({
      tokens: { accessToken: access, refreshToken: refresh },
      site: "kimi.ai",
      siteAssumed: false,
      user,
      generation: "pair",
      leftOut: [],
      broken: false,
    });
    expect(shown(pasted)).toMatch(
      /^ {2}access token {3}expires in 15 minutes \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)$/m,
    );
    expect(shown(pasted)).toMatch(/^ {2}refresh token {2}expires in 90 days/m);
  });

  test("what they stood in is said", () => {
    const format = (name: string) => login(pastes[name]?.(access, refresh) ?? "").format;
    expect(format("a HAR file")).toBe("a HAR file");
    expect(format("copy as cURL, Windows")).toBe("a cURL command");
    expect(format("a line as DevTools copies it")).toBe("a copy of Local storage");
    expect(format("our config")).toBe("a config file");
    expect(format("both, a line each")).toBe("text");
  });

  test("in any JSON, between any white space, whatever else stands there", () => {
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
        expect(login(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
      }),
    );
  });

  test("broken over lines anywhere", () => {
    const newline = fc.constantFrom("\n", "\r\n", "\n    ", " \\\n", "\\n", "\u200b", " ");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), newline, (width, separator) => {
        const pasted = wrapped(`${access}\n${refresh}`, width, separator);
        expect(login(pasted)).toMatchObject({
          tokens: { accessToken: access, refreshToken: refresh },
          broken: false,
        });
        shown(pasted);
      }),
    );
  });
});

describe("the best of several", () => {
  test("the newest of each kind", () => {
    const pasted = [today("access", 500), access, today("refresh", 900), refresh, today("access", 100)].join(
      "\n",
    );
    expect(login(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
  });

  test("one user's only, the one of the newest token; the other is named", () => {
    const other = today("refresh", 60, { sub: "d0000000000000000b00" });
    const pasted = [other, today("access", 120, { sub: "d0000000000000000b00" }), access].join(" ");
    expect(login(pasted)).toMatchObject({
      tokens: { accessToken: access },
      user,
      leftOut: ["d0000000000000000b00"],
    });
    expect(shown(pasted, other)).toContain("Left out: tokens of another user (d0000000000000000b00).");
  });

  test("an expired access token beside a good refresh token does no harm", () => {
    const pasted = `${today("access", 901)} ${refresh}`;
    expect(login(pasted)).toMatchObject({ tokens: { refreshToken: refresh }, accessExpired: true });
    expect(login(pasted).tokens).not.toHaveProperty("accessToken");
    expect(shown(pasted)).toMatch(/has expired; that does no harm/);
  });

  test("a good one beside one that was cut off", () => {
    const pasted = `${access}\n${refresh.slice(0, -30)}`;
    expect(login(pasted)).toMatchObject({ tokens: { accessToken: access }, broken: true });
    expect(shown(pasted)).toMatch(/Left out: a token that was not copied whole/);
  });

  test("a stranger's token and a platform's key beside them are nobody's business", () => {
    const pasted = `sk-abcdefghijklmnopqrstuvwxyz ${jwt({ iss: "https://accounts.google.com" }, "HS256")} ${refresh}`;
    expect(login(pasted).tokens).toEqual({ refreshToken: refresh });
  });
});

describe("which of Kimi's logins it is", () => {
  test("an access token alone: the refresh token is missing, and where it is", () => {
    expect(login(access).generation).toBe("pair");
    expect(shown(access)).toMatch(/refresh token is missing: .*Local storage/);
  });

  test("a refresh token alone needs nothing more", () => {
    expect(shown(refresh)).toMatch(/no access token; that does no harm/);
    expect(shown(refresh)).not.toMatch(/F12/);
  });

  test("the cookie of the older site: 30 days, and nothing renews it", () => {
    const cookie = older("access", 86_400);
    const pasted = `kimi-auth=${cookie}; other=1`;
    expect(login(pasted)).toMatchObject({ generation: "cookie", site: "kimi.com", siteAssumed: true });
    expect(shown(pasted, cookie)).toMatch(/30-day token of a kimi-auth cookie in cookies:/);
    expect(shown(pasted, cookie)).toMatch(/expires in 29 days/);
    expect(shown(pasted, cookie)).toMatch(/No refresh token belongs to this cookie/);
  });

  test("a refresh token of the older site is tried, with a warning", () => {
    const token = older("refresh");
    expect(login(token)).toMatchObject({ generation: "legacy", tokens: { refreshToken: token } });
    expect(shown(token, token)).toMatch(/issued by the older site\. Kimi may no longer renew it/);
  });

  test("what stands around a token that names no site names it", () => {
    const cookie = older("access");
    expect(login(`curl 'https://www.kimi.ai/x' -b 'kimi-auth=${cookie}'`)).toMatchObject({
      site: "kimi.ai",
      siteAssumed: false,
    });
    expect(login(`kimi-auth\t${cookie}\t.kimi.com\t/`)).toMatchObject({
      site: "kimi.com",
      siteAssumed: false,
    });
    expect(login(`kimi.com kimi.ai ${cookie}`)).toMatchObject({ site: "kimi.com", siteAssumed: true });
  });

  test("a clock that is behind is suspected", () => {
    expect(shown(today("access", -86_400))).toMatch(/is the clock of this machine right/);
  });

  test("times that no calendar has", () => {
    for (const exp of [1e300, -1e300, null, "soon", 8.64e12 + 1])
      shown(today("refresh", 0, { exp, iat: exp }));
  });
});

describe("a paste that is nothing says what it is and what helps", () => {
  const google = jwt({ iss: "https://accounts.google.com", sub: "1" }, "HS256");
  const openai = jwt({ iss: "https://auth.openai.com/", sub: "1" }, "HS256");
  const encrypted = `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString("base64url")}..aaaa.bbbb.cccc`;
  const har = JSON.stringify({
    log: { entries: [{ request: { url: "https://www.kimi.com", headers: [] } }] },
  });
  const middle = `${access.slice(0, 80)}${access.slice(90)}`;

  test.each<[string, string, RegExp]>([
    ["nothing", " \n\t", /Nothing was pasted\. Log in on Kimi's site, press F12/],
    ["a token cut at its end", access.slice(0, -20), /its end is missing\. Double-click/],
    ["a token cut inside its claims", access.slice(0, 100), /its end is missing/],
    ["a token without its middle", middle, /its middle is missing/],
    [
      "a token as DevTools shortens it",
      `${access.slice(0, 60)}…${access.slice(-20)}`,
      /its middle is missing/,
    ],
    [
      "a token as people shorten it",
      `${access.slice(0, -60)}...${access.slice(-20)}`,
      /its middle is missing/,
    ],
    ["the first letters of a token", `Bearer ${access.slice(0, 30)}`, /only a part of a token/],
    ["the last letters of a token", access.slice(60), /holds no token of Kimi's/],
    [
      "an expired access token",
      today("access", 4_500),
      /access token expired 60 minutes ago \(.*UTC\)\. Such tokens live 15 minutes/,
    ],
    ["an expired refresh token", today("refresh", 91 * 86_400), /refresh token expired 24 hours ago/],
    ["an expired cookie", older("access", 33 * 86_400), /access token expired 3 days ago/],
    ["Google's", google, /belongs to Google/],
    ["Google's other kind", "ya29.a0AfH6SMBx-abcdefg", /belongs to Google/],
    ["OpenAI's", openai, /belongs to OpenAI/],
    ["somebody's", jwt({ sub: "1", typ: "access" }), /belongs to another service/],
    ["an encrypted one", encrypted, /only a part of a token, or a token of another service/],
    ["Kimi's, for another program", today("access", 0, { app_id: "kimi-code" }), /Kimi, for another purpose/],
    ["Kimi's, of another kind", today("access", 0, { typ: "device" }), /Kimi, for another purpose/],
    ["a platform key", "sk-AbCdEfGhIjKlMnOpQrStUvWxYz", /platform.*"kind": "openai"/],
    ["a key of ours", "sk-moonbridge-AbCdEfGhIjKlMnOp", /Moonbridge's own/],
    ["a key of another's", "sk-proj-AbCdEfGhIjKlMnOpQrSt", /another vendor's/],
    ["HTML", "<!DOCTYPE html><html><body>Kimi</body></html>", /looks like a web page/],
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").toString(), /a picture/],
    ["a picture's address", "data:image/png;base64,iVBORw0KGgo=", /a picture/],
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
    expect(shown(pasted, google, openai)).toMatch(sentence);
  });

  test("too much", () => {
    expect(shown("x".repeat(limits.pasted + 1))).toMatch(/larger than 64 MB/);
  });
});

describe("whatever it is", () => {
  const [header = "", payload = "", signature = ""] = access.split(".");
  const scraps = fc.constantFrom(
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

  test("garbage and scraps of tokens raise nothing and show nothing", () => {
    const garbage = fc.oneof(fc.string({ unit: "binary", maxLength: 2_000 }), fc.string({ unit: scraps }));
    fc.assert(fc.property(garbage, (pasted) => void shown(pasted)));
  });

  test("a HAR of 50 MB full of pictures, the login at its end", () => {
    const picture = randomBytes(36 * 1_024 * 1_024).toString("base64");
    const pasted = JSON.stringify({ log: { entries: [picture, `Bearer ${access}`, { refresh }] } });
    expect(login(pasted).tokens).toEqual({ accessToken: access, refreshToken: refresh });
  });

  // Anything worse than linear would not come to an end within the test's time.
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
  ])("8 MB of %j are read to their end", (scrap) => {
    expect(recognise(scrap.repeat(Math.floor(limits.pasted / 8 / scrap.length))).kind).toBe("nothing");
    expect(recognise(scrap.repeat(Math.floor(limits.pastedByHand / scrap.length))).kind).toBe("nothing");
  });
});
