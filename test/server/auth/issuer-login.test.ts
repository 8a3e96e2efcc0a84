import { describe, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../gateway.js";
import { consoleClientId, startIssuer, type TestIssuer } from "../../openid-provider.js";

async function startGatewayWithIssuer(settings: Record<string, unknown> = { consoleClientId }) {
  const issuer = await startIssuer();
  const gateway = await startGateway({ oauth: { issuer: issuer.url, audience: "moonbridge", ...settings } });
  return { issuer, gateway };
}

/** A browser that follows redirects one by one and keeps cookies by origin, whatever their paths. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** The address that the response leads to. */
  async follow(address: string): Promise<string> {
    const { origin } = new URL(address);
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(address, { redirect: "manual", headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) throw new Error(`${address}: ${response.status} ${await response.text()}`);
    return new URL(location, address).href;
  }

  /** Follows until an address of this path. */
  async followTo(address: string, path: string): Promise<URL> {
    let next = new URL(address);
    for (let steps = 0; next.pathname !== path || steps === 0; steps++) {
      if (steps > 10) throw new Error(`does not lead to ${path}`);
      next = new URL(await this.follow(next.href));
    }
    return next;
  }

  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(new URL(origin).origin)?.get(name);
  }
}

const start = (gateway: Gateway) => `${gateway.url}/v1/admin/login/issuer`;
const callback = "/v1/admin/login/issuer/callback";

async function currentSession(gateway: Gateway, browser: Browser) {
  const cookie = `moonbridge_session=${browser.cookie(gateway.url, "moonbridge_session")}`;
  const response = await fetch(`${gateway.url}/v1/admin/sessions/current`, { headers: { cookie } });
  return { status: response.status, session: Object(await response.json()) };
}

/** The hash of the page to which a login leads, whose answer of the issuer may be changed on the way back. */
async function logIn(gateway: Gateway, browser: Browser, change = (_address: URL) => {}): Promise<string> {
  const address = await browser.followTo(start(gateway), callback);
  change(address);
  return new URL(await browser.follow(address.href)).hash;
}

describe("the login by the issuer", () => {
  test("gives an administrator a session of twelve hours, with the name that the issuer's tokens have", async () => {
    const { gateway } = await startGatewayWithIssuer();
    const browser = new Browser();
    expect(await logIn(gateway, browser)).toBe("#/");
    const { status, session } = await currentSession(gateway, browser);
    expect([status, session]).toMatchObject([200, { key: "oidc:alice", scopes: ["chat", "admin"] }]);
    expect(Date.parse(session.expires_at) - Date.parse(session.created_at)).toBe(12 * 3_600_000);
    expect(browser.cookie(gateway.url, "moonbridge_login")).toBeUndefined();
  });

  test("asks with PKCE, a state, a nonce and the scopes that are needed", async () => {
    const { gateway, issuer } = await startGatewayWithIssuer({ consoleClientId, scope: "chat" });
    const { origin, searchParams } = new URL(await new Browser().follow(start(gateway)));
    expect(origin).toBe(issuer.url);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ response_type: "code", client_id: consoleClientId, code_challenge_method: "S256" },
      ...{ scope: "openid moonbridge:admin chat", redirect_uri: gateway.url + callback },
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  test("is refused to people without the admin scope", async () => {
    const { gateway, issuer } = await startGatewayWithIssuer();
    issuer.grantScopes("chat");
    const browser = new Browser();
    expect(await logIn(gateway, browser)).toBe("#login-error=insufficient_scope");
    expect(browser.cookie(gateway.url, "moonbridge_session")).toBeUndefined();
  });

  test.each<[string, (address: URL) => void]>([
    ["another state", ({ searchParams }) => searchParams.set("state", "x".repeat(43))],
    ["no state", ({ searchParams }) => searchParams.delete("state")],
    ["a wrong code", ({ searchParams }) => searchParams.set("code", "x".repeat(43))],
    ["no code", ({ searchParams }) => searchParams.delete("code")],
    ["another issuer", ({ searchParams }) => searchParams.set("iss", "https://evil.example")],
  ])("is refused with %s", async (_, change) => {
    const { gateway } = await startGatewayWithIssuer();
    const browser = new Browser();
    expect(await logIn(gateway, browser, change)).toBe("#login-error=invalid_api_key");
    expect(browser.cookie(gateway.url, "moonbridge_session")).toBeUndefined();
  });

  test("is refused in a browser that has not begun it, and a second time", async () => {
    const { gateway } = await startGatewayWithIssuer();
    const [mine, yours] = [new Browser(), new Browser()];
    const { href } = await mine.followTo(start(gateway), callback);
    expect(new URL(await yours.follow(href)).hash).toBe("#login-error=invalid_api_key");
    await yours.follow(start(gateway));
    expect(new URL(await yours.follow(href)).hash).toBe("#login-error=invalid_api_key");
    expect(new URL(await mine.follow(href)).hash).toBe("#/");
    expect(new URL(await mine.follow(href)).hash).toBe("#login-error=invalid_api_key");
  });

  test.each<[string, (issuer: TestIssuer, nonce: string) => Promise<Record<string, unknown>>]>([
    [
      "whose ID token has another nonce",
      async (issuer) => ({ id_token: await issuer.signToken({ aud: consoleClientId, nonce: "other" }) }),
    ],
    [
      "whose ID token is for another client",
      async (issuer, nonce) => ({ id_token: await issuer.signToken({ nonce }) }),
    ],
    ["without an ID token", async () => ({})],
    [
      "whose access token is for another audience",
      async (issuer, nonce) => ({
        id_token: await issuer.signToken({ aud: consoleClientId, nonce }),
        access_token: await issuer.signToken({ aud: "other", scope: "moonbridge:admin" }),
      }),
    ],
    [
      "whose access token is no JWT",
      async (issuer, nonce) => ({
        id_token: await issuer.signToken({ aud: consoleClientId, nonce }),
        access_token: "opaque",
      }),
    ],
  ])("refuses an answer %s, and takes the right one", async (_, answer) => {
    const { gateway, issuer } = await startGatewayWithIssuer();
    const respond = issuer.listener();
    const logInWith = async (answer: (nonce: string) => Promise<Record<string, unknown>>) => {
      issuer.respondWith(respond);
      const browser = new Browser();
      const begun = new URL(await browser.follow(start(gateway)));
      const { state, nonce = "" } = Object.fromEntries(begun.searchParams);
      const tokens = {
        access_token: await issuer.signToken({ scope: "moonbridge:admin" }),
        ...(await answer(nonce)),
      };
      issuer.respondWith((request, response) => {
        if (request.url !== "/token") return respond(request, response);
        response.setHeader("content-type", "application/json").end(JSON.stringify(tokens));
      });
      const back = await browser.follow(`${gateway.url}${callback}?code=x&state=${state}`);
      return new URL(back).hash;
    };
    expect(await logInWith((nonce) => answer(issuer, nonce))).toBe("#login-error=invalid_api_key");
    const right = async (nonce: string) => ({
      id_token: await issuer.signToken({ aud: consoleClientId, nonce }),
    });
    expect(await logInWith(right)).toBe("#/");
  });

  test("leads to the page with the reason when the issuer lets nobody in, or is away", async () => {
    const { gateway, issuer } = await startGatewayWithIssuer();
    issuer.refuseLogins();
    expect(await logIn(gateway, new Browser())).toBe("#login-error=invalid_api_key");
    const other = await startGatewayWithIssuer();
    await other.issuer.stop();
    const address = new URL(await new Browser().follow(start(other.gateway)));
    expect([address.pathname, address.hash]).toEqual(["/", "#login-error=issuer_unavailable"]);
  });

  test("is there only with a client id for the console", async () => {
    const ways = async ({ gateway }: { gateway: Gateway }) =>
      (await fetch(`${gateway.url}/v1/admin/login`)).json();
    const withClient = await startGatewayWithIssuer();
    expect(await ways(withClient)).toEqual({ object: "admin.login", issuer: withClient.issuer.url });
    const without = await startGatewayWithIssuer({});
    expect(await ways(without)).toEqual({ object: "admin.login", issuer: null });
    expect(new URL(await new Browser().follow(start(without.gateway))).hash).toBe("#login-error=not_found");
  });

  test("is not begun by a page elsewhere", async () => {
    const { gateway, issuer } = await startGatewayWithIssuer();
    const response = await fetch(start(gateway), {
      redirect: "manual",
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect(response.headers.get("location")).toBe("/#login-error=origin_forbidden");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(issuer.requests).toEqual([]);
  });
});
