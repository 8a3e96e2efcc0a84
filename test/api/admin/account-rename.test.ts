import { describe, expect, test } from "vitest";
import { chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin } from "./administrator.js";

/** A gateway with the account `kimi` from a login. */
async function startWithLogin(): Promise<Gateway> {
  const gateway = await startGateway();
  await gateway.replaceConfig({ upstreams: [] });
  await connect(gateway, "kimi");
  return gateway;
}

function connect(gateway: Gateway, name: string) {
  const { url } = gateway.simulator;
  const { accessToken, refreshToken } = gateway.simulator.issue();
  const text = `access_token=${accessToken}\nrefresh_token=${refreshToken}`;
  return adminJson(gateway, "POST", "/accounts", { text, name, base_url: url, auth_url: url });
}

const rename = (gateway: Gateway, from: string, to: string, query = "") =>
  requestAdmin(gateway, "PATCH", `/accounts/${from}${query}`, { name: to });

async function ask(gateway: Gateway, messages: object[], fields: object = {}) {
  const response = await postChat(gateway, { model: "kimi", messages, ...fields });
  const { choices, conversation_id: conversation } = Object(await response.json());
  return { status: response.status, answer: choices?.[0]?.message, conversation };
}

const accountsOf = async (gateway: Gateway) => (await adminJson(gateway, "GET", "/accounts")).data;
const messagesInChats = ({ simulator }: Gateway) =>
  simulator.calls.filter(({ path }) => path.endsWith("/Chat")).map(({ body }) => JSON.stringify(body));

describe("PATCH /v1/admin/accounts/{id}", () => {
  test("renames an account whose conversations go on in their chats, by their history and by their id", async () => {
    const gateway = await startWithLogin();
    const first = { role: "user", content: "sim:say=first" };
    const { answer, conversation } = await ask(gateway, [first]);
    const response = await rename(gateway, "kimi", "home");
    expect([response.status, await response.json()]).toEqual([
      200,
      { id: "home", object: "account", renamed_from: "kimi", warnings: [] },
    ]);
    expect(await accountsOf(gateway)).toMatchObject([{ id: "home", origin: "login", state: "ok" }]);
    const second = { role: "user", content: "sim:say=second" };
    const next = await ask(gateway, [first, answer, second]);
    expect(next.answer.content).toBe("second");
    await ask(gateway, [{ role: "user", content: "sim:say=third" }], { conversation_id: conversation });
    const { data, total } = await adminJson(gateway, "GET", "/conversations");
    expect([total, data]).toMatchObject([1, [{ upstream: "home" }]]);
    const last = messagesInChats(gateway).slice(-2);
    expect(last).toHaveLength(2);
    for (const message of last) expect(message).not.toContain("sim:say=first");
    await adminJson(gateway, "DELETE", "/accounts/home");
    expect((await adminJson(gateway, "GET", "/conversations")).total).toBe(0);
  });

  test("goes on renewing the login under the new name alone, also after a new login", async () => {
    const gateway = await startWithLogin();
    await ask(gateway, [{ role: "user", content: "hello" }]);
    await rename(gateway, "kimi", "home");
    gateway.simulator.expireAccessTokens();
    expect((await ask(gateway, [{ role: "user", content: "hello" }])).status).toBe(200);
    expect(await gateway.store.listAccounts()).toEqual(["home"]);
    await connect(gateway, "home");
    expect(await gateway.store.findCredentials("home")).toMatchObject({ firstName: "kimi" });
  });

  test("gives stored keys the new name, and tells of settings that have the old one", async () => {
    const gateway = await startWithLogin();
    const settings = { scopes: ["chat" as const], upstreams: ["kimi"], models: ["kimi/kimi", "k2"] };
    await gateway.store.addKey({ name: "phone", sha256: "0".repeat(64), settings });
    const config = {
      upstreams: [],
      keys: [
        ...gateway.config.keys,
        { name: "a", key: "CANARY-a", scopes: ["chat" as const], upstreams: ["kimi"] },
      ],
      routes: { fast: ["kimi"] },
      modelAliases: { quick: "kimi/kimi", other: "k2" },
    };
    await gateway.replaceConfig(config);
    const response = await rename(gateway, "kimi", "home", "?language=zh");
    expect(Object(await response.json()).warnings).toEqual([
      expect.stringMatching(/keys\[1\]\.upstreams .*“kimi”.*“home”/),
      expect.stringContaining("routes.fast"),
      expect.stringContaining("modelAliases.quick"),
    ]);
    expect((await gateway.store.findKeyByName("phone"))?.settings).toMatchObject({
      upstreams: ["home"],
      models: ["home/kimi", "k2"],
    });
  });

  test.each([
    ["nobody", "home", 404, /no account “nobody”/],
    ["kimi", "you", 400, /already/],
    ["kimi", "kimi", 400, /already/],
    ["kimi", "two words", 400, /letters, digits/],
  ])("refuses to rename %s to “%s”", async (from, to, status, message) => {
    const gateway = await startWithLogin();
    await connect(gateway, "you");
    const response = await rename(gateway, from, to);
    expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(message)]);
    expect(await gateway.store.listAccounts()).toEqual(["kimi", "you"]);
  });

  test("refuses a configured account and the built-in simulator, and says why", async () => {
    const gateway = await startGateway();
    const configured = await rename(gateway, "me", "home");
    expect([configured.status, await configured.text()]).toEqual([
      400,
      expect.stringContaining("Rename it there"),
    ]);
    await gateway.replaceConfig({ upstreams: [] });
    const builtIn = await rename(gateway, "simulator", "home");
    expect([builtIn.status, await builtIn.text()]).toEqual([400, expect.stringContaining("simulator")]);
  });

  test("refuses an account that is answering, until it has answered", async () => {
    const gateway = await startWithLogin();
    const slow = postChat(gateway, chatBody("sim:slow=20 sim:say=x sim:repeat=20", { stream: true }));
    await (await slow).body?.getReader().read();
    const response = await rename(gateway, "kimi", "home");
    expect([response.status, await response.json()]).toMatchObject([
      429,
      { error: { code: "account_busy" } },
    ]);
    await expect.poll(async () => (await rename(gateway, "kimi", "home")).status).toBe(200);
  });
});
