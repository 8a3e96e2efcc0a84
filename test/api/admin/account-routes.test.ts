import { describe, expect, test } from "vitest";
import { startMeasured } from "../../conversations/measured-account.js";
import { chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin } from "./administrator.js";

/** A gateway without configured accounts, and the fields of an import into it. */
async function startEmptyGateway(): Promise<{ gateway: Gateway; addresses: object; pasted(): string }> {
  const gateway = await startGateway();
  await gateway.replaceConfig({ upstreams: [] });
  const { url } = gateway.simulator;
  const pasted = () => {
    const { accessToken, refreshToken } = gateway.simulator.issue();
    return `access_token=${accessToken}\nrefresh_token=${refreshToken}`;
  };
  return { gateway, addresses: { base_url: url, auth_url: url }, pasted };
}

const accountsOf = async (gateway: Gateway) => (await adminJson(gateway, "GET", "/accounts")).data;
const deletions = ({ simulator }: Gateway) =>
  simulator.calls.filter(({ path }) => path.endsWith("/DeleteChat")).length;
const ask = async (gateway: Gateway) => (await postChat(gateway, chatBody("sim:say=hello"))).json();

describe("GET /v1/admin/accounts", () => {
  test("lists a configured account with its state and queue", async () => {
    const gateway = await startGateway();
    expect(await accountsOf(gateway)).toEqual([
      {
        ...{ id: "me", object: "account", kind: "kimi-web", simulated: false, origin: "config" },
        ...{ state: "ok", detail: expect.stringMatching(/\w/), until: null, failing: false },
        ...{ expires_at: expect.stringMatching(/^\d{4}-/), queue: { running: 0, waiting: 0 } },
        capabilities: [],
      },
    ]);
    expect(await adminJson(gateway, "GET", "/accounts/me/quota")).toMatchObject({
      data: expect.arrayContaining([{ name: "7 days", used: 0, resets_at: expect.any(String) }]),
      error: null,
    });
    expect((await requestAdmin(gateway, "GET", "/accounts/you/quota")).status).toBe(404);
  });

  test("tells where Kimi treats one otherwise than is assumed, since when, and what follows", async () => {
    const gateway = await startMeasured({
      ...{ "old-parent": false, "long-prompt": true, "echo-text": true, "busy-seconds": 9 },
    });
    const others = { source: "probe", changed_at: expect.stringMatching(/^\d{4}-/) };
    const text = { en: expect.stringMatching(/\w/), zh: expect.stringMatching(/[\u4e00-\u9fff]/) };
    expect(Object(await accountsOf(gateway))[0].capabilities).toEqual([
      { ...others, name: "old-parent", value: false, default: true, meaning: text, fallback: text },
      { ...others, name: "long-prompt", value: true, default: false, meaning: text, fallback: text },
      { ...others, name: "busy-seconds", value: 9, default: 5, meaning: text, fallback: text },
    ]);
  });

  test("checks one with a short chat, in Chinese as well", async () => {
    const gateway = await startGateway();
    const { data } = await adminJson(gateway, "POST", "/accounts/me/check?language=zh");
    expect(data).toContainEqual(
      expect.objectContaining({ state: "ok", what: expect.stringMatching(/[\u4e00-\u9fff]/) }),
    );
    expect((await requestAdmin(gateway, "POST", "/accounts/you/check")).status).toBe(404);
  });
});

describe("POST /v1/admin/accounts", () => {
  test("connects an account that answers at once, in the place of the simulator", async () => {
    const { gateway, addresses, pasted } = await startEmptyGateway();
    expect(await accountsOf(gateway)).toMatchObject([{ id: "simulator", origin: "built-in" }]);
    const imported = await adminJson(gateway, "POST", "/accounts", { text: pasted(), ...addresses });
    expect(imported).toMatchObject({
      ...{ object: "account.import", account: "kimi", outcome: "verified", stored: true },
      ...{ has_refresh_token: true, problem: null, error_code: null, user: { id: expect.any(String) } },
    });
    expect(await accountsOf(gateway)).toMatchObject([{ id: "kimi", origin: "login", state: "ok" }]);
    expect(await ask(gateway)).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  });

  test("only says what is in the text if asked to, and never repeats a token", async () => {
    const { gateway, addresses, pasted } = await startEmptyGateway();
    const text = pasted();
    const fields = { text, dry_run: true, language: "zh", ...addresses };
    const imported = await adminJson(gateway, "POST", "/accounts", fields);
    expect(imported).toMatchObject({ outcome: "dry-run", stored: false, has_refresh_token: true });
    expect(imported.recognised).toContainEqual(expect.stringMatching(/[\u4e00-\u9fff]/));
    for (const token of text.match(/ey[\w.-]{20,}/g) ?? ["none"])
      expect(JSON.stringify(imported)).not.toContain(token);
    expect(await accountsOf(gateway)).toMatchObject([{ id: "simulator" }]);
  });

  test("explains a text without a login, and tokens that Kimi refuses, and stores neither", async () => {
    const { gateway, addresses, pasted } = await startEmptyGateway();
    const nothing = await adminJson(gateway, "POST", "/accounts", { text: "hello", ...addresses });
    expect(nothing).toMatchObject({
      outcome: "nothing",
      stored: false,
      problem: expect.stringMatching(/\w/),
    });
    const text = pasted();
    gateway.simulator.expireAccessTokens();
    gateway.simulator.revoke(/refresh_token=(.*)/.exec(text)?.[1] ?? "");
    const refused = await adminJson(gateway, "POST", "/accounts", { text, ...addresses });
    expect(refused).toMatchObject({
      ...{ outcome: "refused", stored: false },
      ...{ error_code: "account_login_required", problem: expect.stringMatching(/\w/) },
    });
    expect(await accountsOf(gateway)).toMatchObject([{ id: "simulator" }]);
  });

  test("refuses a name that the configuration lacks", async () => {
    const gateway = await startGateway();
    const response = await requestAdmin(gateway, "POST", "/accounts", { text: "hello", name: "you" });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: "name" } }]);
  });
});

describe("DELETE /v1/admin/accounts/{id}", () => {
  test.each([
    ["", { deleted: 1, left: 0 }, 0],
    ["?chats=keep", { deleted: 0, left: 1 }, 1],
  ])("%s removes the login, and its chats as told", async (query, chats, atKimi) => {
    const { gateway, addresses, pasted } = await startEmptyGateway();
    await adminJson(gateway, "POST", "/accounts", { text: pasted(), ...addresses });
    await ask(gateway);
    const removed = await adminJson(gateway, "DELETE", `/accounts/kimi${query}`);
    expect(removed).toEqual({ id: "kimi", object: "account", deleted: true, chats });
    expect(deletions(gateway)).toBe(1 - atKimi);
    expect(await accountsOf(gateway)).toMatchObject([{ id: "simulator", origin: "built-in" }]);
    expect(await gateway.store.listAccounts()).toEqual([]);
    expect((await adminJson(gateway, "GET", "/conversations")).total).toBe(0);
  });

  test("refuses a configured account without a login, and an unknown one", async () => {
    const gateway = await startGateway();
    expect((await requestAdmin(gateway, "DELETE", "/accounts/you")).status).toBe(404);
    const response = await requestAdmin(gateway, "DELETE", "/accounts/me");
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("configuration")]);
  });
});

describe("/v1/admin/conversations", () => {
  test("lists the chats that Moonbridge made, and deletes one at Kimi", async () => {
    const gateway = await startGateway();
    await ask(gateway);
    await ask(gateway);
    const { data, total, next } = await adminJson(gateway, "GET", "/conversations?limit=1");
    expect([total, typeof next]).toEqual([2, "string"]);
    const [first] = Array.isArray(data) ? data : [];
    expect(first).toMatchObject({ object: "conversation", upstream: "me", turns: 1, failed_deletions: 0 });
    expect(Date.parse(first.due_at)).toBeGreaterThan(Date.now());
    const path = `/conversations/me/${first.id}`;
    expect(await adminJson(gateway, "DELETE", path)).toMatchObject({ id: first.id, deleted: true });
    expect((await requestAdmin(gateway, "DELETE", path)).status).toBe(404);
    expect(deletions(gateway)).toBe(1);
    const rest = await adminJson(gateway, "GET", `/conversations?before=${next}`);
    expect(rest).toMatchObject({ total: 1, next: null, data: [{ turns: 1 }] });
  });
});
