import { expect, onTestFinished, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { chatBody } from "../gateway.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

/** The API key of the server. */
export const key = "sk-CANARY-of-more-than-32-characters";

type Tokens = { accessToken: string; refreshToken: string };

/** Starts the program with one account with these tokens, and sends it a chat; resolves to the status and the output. */
async function chatWith(kind: string, configure: (tokens: Tokens) => Partial<Tokens>) {
  const simulator: Simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const folder = createTemporaryFolder();
  const { url: baseUrl } = simulator;
  const account = { name: "me", kind, baseUrl, ...(kind === "kimi-web" ? { authUrl: baseUrl } : {}) };
  const tokens = configure(simulator.issue());
  writeConfig(folder, { token: key, server: { port: 0 }, upstreams: [{ ...account, ...tokens }] });
  const program = runMoonbridge([], folder);
  const response = await fetch(`${await program.ready}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(chatBody("sim:say=hello")),
  });
  const { refreshes, legacyRefreshes } = simulator.counts();
  return { status: response.status, refreshes: refreshes + legacyRefreshes, output: program.output() };
}

/** An account whose tokens were not copied well answers as far as they can be used. */
export function testConfiguredTokens(kind: string): void {
  test("with tokens that were pasted with line breaks, quotes and invisible characters, and swapped", async () => {
    const outcome = await chatWith(kind, ({ accessToken, refreshToken }) => ({
      accessToken: `%22${refreshToken}%22\u200b`,
      refreshToken: `"Bearer ${accessToken.replace(/.{70}/g, "$&\r\n")}"`,
    }));
    expect(outcome).toMatchObject({ status: 200, refreshes: 0 });
  });

  test.each<[string, (accessToken: string) => string]>([
    ["clipped", (token) => `${token.slice(0, 40)}…`],
    ["no token", () => "abc"],
  ])("with a refresh token beside an access token that is %s, and says so", async (_name, damage) => {
    const outcome = await chatWith(kind, ({ accessToken, refreshToken }) => ({
      accessToken: damage(accessToken),
      refreshToken,
    }));
    expect(outcome).toMatchObject({ status: 200, refreshes: 1 });
    expect(outcome.output).toMatch(/^note: upstreams\[0\]\.accessToken is not used: This/m);
  });

  test("with a refresh token beside an access token with a wrong character", async () => {
    const outcome = await chatWith(kind, ({ accessToken, refreshToken }) => {
      const wrong = accessToken.at(-9) === "A" ? "B" : "A";
      return { accessToken: `${accessToken.slice(0, -9)}${wrong}${accessToken.slice(-8)}`, refreshToken };
    });
    expect(outcome).toMatchObject({ status: 200, refreshes: 1 });
  });
}
