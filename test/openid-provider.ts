import { createServer, type RequestListener } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import { onTestFinished, vi } from "vitest";

/** The client that stands for the console: it has no secret, and its addresses may have any port. */
export const consoleClientId = "moonbridge-console";

const oauthClient = { id: "robot", secret: "CANARY".repeat(8) };

/** An OAuth issuer: an OpenID provider with test controls. */
export type TestIssuer = {
  url: string;
  /** The URLs requested so far. */
  requests: string[];
  /** A token issued by the provider's token endpoint. */
  issueToken(scope?: string): Promise<string>;
  /** A token with the provider's signature and arbitrary claims. */
  signToken(claims: Claims, header?: { alg?: string; kid?: string }): Promise<string>;
  /** The key pair with which tokens are signed now. */
  currentKeys(): SigningKeys;
  /** Replaces the key pair. */
  rotateKeys(): Promise<void>;
  /** The scopes that people have from their next login on; by default both. A login asks for nothing: `alice` is let in. */
  grantScopes(scope: string): void;
  /** From now on nobody is let in. */
  refuseLogins(): void;
  /** What answers now. */
  listener(): RequestListener;
  /** Replaces the provider by this listener. */
  respondWith(listener: RequestListener): void;
  /** Listens again after `stop`, on the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Claims added to the default ones; undefined removes a default one. */
export type Claims = Record<string, unknown>;

type SigningKeys = Awaited<ReturnType<typeof generateKeys>>;

/**
 * Starts an OpenID provider on 127.0.0.1, which stops when the test ends. The test has its keys, to sign tokens that the
 * provider would not issue.
 */
export async function startIssuer(): Promise<TestIssuer> {
  const requests: string[] = [];
  let listener: RequestListener = () => {};
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    listener(request, response);
  });
  let port = 0;
  const start = async () => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address === "object" && address) port = address.port;
  };
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  await start();
  onTestFinished(stop);
  const url = `http://127.0.0.1:${port}`;

  // The provider warns at each start about its in-memory storage.
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => warn.mockRestore());
  const logins: Logins = { scope: "chat moonbridge:admin", areRefused: false };
  let keys = await generateKeys("first");
  listener = createProvider(url, keys, logins);
  let rotations = 0;
  return {
    url,
    requests,
    currentKeys: () => keys,
    start,
    stop,
    grantScopes: (scope) => {
      logins.scope = scope;
    },
    refuseLogins: () => {
      logins.areRefused = true;
    },
    listener: () => listener,
    respondWith: (newListener) => {
      listener = newListener;
    },
    rotateKeys: async () => {
      keys = await generateKeys(`rotated-${++rotations}`);
      listener = createProvider(url, keys, logins);
    },
    signToken: (claims, header = {}) => signToken(claims, { url, keys, ...header }),
    issueToken: async (scope = "chat") => {
      const credentials = Buffer.from(`${oauthClient.id}:${oauthClient.secret}`).toString("base64");
      const response = await fetch(`${url}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${credentials}` },
        body: new URLSearchParams({ grant_type: "client_credentials", scope }),
      });
      const { access_token } = JSON.parse(await response.text());
      return access_token;
    },
  };
}

async function generateKeys(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return {
    privateKey,
    publicKey,
    kid,
    jwk: { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" },
  };
}

const resourceScopes = ["chat", "moonbridge:admin"];

type Logins = { scope: string; areRefused: boolean };

function createProvider(url: string, { jwk }: SigningKeys, logins: Logins): RequestListener {
  const provider = new Provider(url, {
    clients: [
      {
        client_id: oauthClient.id,
        client_secret: oauthClient.secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: consoleClientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/v1/admin/login/issuer/callback"],
      },
    ],
    scopes: ["openid", "chat", "moonbridge:admin"],
    jwks: { keys: [jwk] },
    ttl: {
      ClientCredentials: 600,
      Grant: 600,
      Session: 600,
      Interaction: 600,
      AccessToken: 600,
      IdToken: 600,
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? "",
        accountId: oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid chat moonbridge:admin");
      grant.addResourceScope("urn:moonbridge", logins.scope);
      // What is neither granted nor rejected would be asked for.
      const rejected = resourceScopes.filter((scope) => !logins.scope.split(" ").includes(scope));
      grant.rejectResourceScope("urn:moonbridge", rejected.join(" "));
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:moonbridge",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "chat moonbridge:admin",
          audience: "moonbridge",
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  const respond = provider.callback();
  return (request, response) => {
    if (!request.url?.startsWith("/interaction/")) return respond(request, response);
    const result = logins.areRefused
      ? { error: "access_denied" }
      : { login: { accountId: "alice" }, consent: {} };
    return provider.interactionFinished(request, response, result);
  };
}

function signToken(
  claims: Claims,
  {
    url,
    keys,
    alg = "RS256",
    kid = keys.kid,
  }: { url: string; keys: SigningKeys; alg?: string; kid?: string },
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const defaultClaims = {
    iss: url,
    aud: "moonbridge",
    sub: "robot",
    iat: now,
    exp: now + 600,
    scope: "chat",
  };
  return new SignJWT({ ...defaultClaims, ...claims }).setProtectedHeader({ alg, kid }).sign(keys.privateKey);
}
