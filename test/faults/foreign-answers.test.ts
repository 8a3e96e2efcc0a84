import { describe, expect, onTestFinished, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { Dialogue } from "../conversations/dialogue.js";
import { apiKey, chatBody, type Gateway, type KimiKind, postChat, startGateway } from "../gateway.js";
import { kimiSides, kinds } from "../upstreams/kimi-sides.js";
import { startNetwork } from "./network-between.js";

type Intruder = { status: number; headers: Record<string, string>; body: string };

const page = (status: number): Intruder => ({
  status,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><title>Blocked</title><p>CANARY",
});

/** A gateway behind a network that sends `network.intruder` in place of Kimi's answers while it is set. */
async function startBehindFilter(kind: KimiKind) {
  const kimi: Simulator = await startSimulator();
  onTestFinished(() => kimi.close());
  const network: { intruder: Intruder | undefined } = { intruder: undefined };
  const baseUrl = await startNetwork(kimi.url, (_incoming, response) => {
    if (!network.intruder) return false;
    const { status, headers, body } = network.intruder;
    response.writeHead(status, headers).end(body);
    return true;
  });
  const gateway = await startGateway({ kind, baseUrl, tokens: () => kimi.issue() });
  return { network, kimi, gateway: { ...gateway, simulator: kimi } };
}

async function accountState({ url }: Gateway): Promise<string> {
  const response = await fetch(`${url}/v1/accounts`, { headers: { authorization: `Bearer ${apiKey}` } });
  return JSON.parse(await response.text()).data[0].state;
}

describe.each(kinds)("over %s, what is not Kimi's answer", (kind) => {
  test.each([
    [page(401), /^A web page \(HTTP 401\)/],
    [page(403), /^A web page \(HTTP 403\) came in place of Kimi's answer\. .*sign-in page or a filter/],
    [page(404), /^A web page \(HTTP 404\)/],
    [page(511), /^A web page \(HTTP 511\) .*sign-in page/],
    [{ status: 403, headers: {}, body: "" }, /^An empty answer \(HTTP 403\)/],
    [
      { status: 403, headers: { "content-type": "application/json" }, body: '{"message":"Forbidden"}' },
      /^Something else \(HTTP 403, “application\/json”\)/,
    ],
    [
      { status: 302, headers: { location: "https://portal.example/login?CANARY" }, body: "" },
      /^Kimi cannot be reached: 127\.0\.0\.1 redirects to portal\.example .*sign-in page/,
    ],
  ])("is named, costs neither login nor chat, and is not tried again: %j", async (intruder, message) => {
    const { network, gateway } = await startBehindFilter(kind);
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    network.intruder = intruder;
    const response = await postChat(gateway, {
      model: "kimi",
      messages: [...dialogue.history, { role: "user", content: "two" }],
    });
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([502, "false"]);
    const { error } = JSON.parse(await response.text());
    expect(error).toMatchObject({ code: "upstream_unavailable", message: expect.stringMatching(message) });
    expect(error.message).not.toMatch(/token|CANARY/);
    expect(await accountState(gateway)).toBe("ok");
    network.intruder = undefined;
    await dialogue.send("three");
    // A chat of the older protocol is a line, and nobody knows whether the message arrived in it.
    const expected = kind === "kimi-web" ? /^three$/ : /^user: one.*user: three$/s;
    expect(kimiSides[kind].sentMessages(gateway).at(-1)?.text).toMatch(expected);
  });

  test("to a token refresh says nothing about the token", async () => {
    const { network, kimi, gateway } = await startBehindFilter(kind);
    expect((await postChat(gateway, chatBody("one"))).status).toBe(200);
    kimi.expireAccessTokens();
    network.intruder = page(401);
    const response = await postChat(gateway, chatBody("two"));
    expect(JSON.parse(await response.text()).error.code).not.toBe("account_login_required");
    expect(await accountState(gateway)).not.toBe("login required");
    network.intruder = undefined;
    expect((await postChat(gateway, chatBody("three"))).status).toBe(200);
  });

  test("with a status of trouble has that status, and says that it is a page", async () => {
    const { network, gateway } = await startBehindFilter(kind);
    for (const [status, code] of [
      [502, "upstream_overloaded"],
      [504, "timeout"],
      [429, "rate_limit_exceeded"],
    ] as const) {
      network.intruder = page(status);
      const { error } = JSON.parse(await (await postChat(gateway, chatBody("one"))).text());
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(`^A web page \\(HTTP ${status}\\)`),
      });
    }
  });
});
