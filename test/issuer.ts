import { createServer, type RequestListener } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";
import { onTestFinished, vi } from "vitest";

const client = { id: "robot", secret: "CANARY".repeat(8) };

export type TestIssuer = {
  url: string;
  /** The paths that were asked for so far. */
  requests: string[];
  /** A token as it really issues them. */
  token(scope?: string): Promise<string>;
  /** A token with its signature that says what it would not say. */
  sign(claims: Claims, header?: { alg?: string; kid?: string }): Promise<string>;
  /** Its key and the public half. */
  keys(): Keys;
  /** From now on it has one new key. */
  rotate(): Promise<void>;
  /** From now on it answers like this. */
  answer(listener: RequestListener): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Claims beside the usual ones; undefined takes a usual one away. */
export type Claims = Record<string, unknown>;

type Keys = Awaited<ReturnType<typeof newKeys>>;

/** A real OpenID provider on loopback; the test has its keys, too, to sign what it would never sign. */
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

  // The provider warns each time that it keeps everything in memory.
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => warn.mockRestore());
  let keys = await newKeys("first");
  listener = provider(url, keys);
  let rotations = 0;
  return {
    url,
    requests,
    keys: () => keys,
    start,
    stop,
    answer: (other) => {
      listener = other;
    },
    rotate: async () => {
      keys = await newKeys(`rotated-${++rotations}`);
      listener = provider(url, keys);
    },
    sign: (claims, header = {}) => sign(claims, { url, keys, ...header }),
    token: async (scope = "chat") => {
      const credentials = Buffer.from(`${client.id}:${client.secret}`).toString("base64");
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

async function newKeys(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return {
    privateKey,
    publicKey,
    kid,
    jwk: { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" },
  };
}

function provider(url: string, { jwk }: Keys): RequestListener {
  return new Provider(url, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
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

function sign(
  claims: Claims,
  { url, keys, alg = "RS256", kid = keys.kid }: { url: string; keys: Keys; alg?: string; kid?: string },
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const usual = { iss: url, aud: "moonbridge", sub: "robot", iat: now, exp: now + 600, scope: "chat" };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, kid }).sign(keys.privateKey);
}
