import { createServer, type RequestListener } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import { onTestFinished, vi } from "vitest";

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
  let keys = await generateKeys("first");
  listener = createProvider(url, keys);
  let rotations = 0;
  return {
    url,
    requests,
    currentKeys: () => keys,
    start,
    stop,
    respondWith: (newListener) => {
      listener = newListener;
    },
    rotateKeys: async () => {
      keys = await generateKeys(`rotated-${++rotations}`);
      listener = createProvider(url, keys);
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

function createProvider(url: string, { jwk }: SigningKeys): RequestListener {
  return new Provider(url, {
    clients: [
      {
        client_id: oauthClient.id,
        client_secret: oauthClient.secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["chat", "moonbridge:admin"],
    jwks: { keys: [jwk] },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:moonbridge",
        getResourceServerInfo: () => ({
          scope: "chat moonbridge:admin",
          audience: "moonbridge",
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  }).callback();
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
