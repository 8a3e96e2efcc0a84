import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const key = "sk-CANARY-of-more-than-32-characters";
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** A way in which Kimi's site is not reached. The site at an address, the certificate that the machine trusts in addition, and what is to be said. */
type Trouble = {
  startSite(): Promise<{ url: string; server?: Server }>;
  trusted?: string;
  detail: string;
  code: RegExp;
  remedy: RegExp;
  isRetryable: boolean;
  state?: "warn";
};

/** A TLS server with a self-signed certificate of the fixtures. */
function secureSite(certificate: string, host: string) {
  return async () => {
    const [cert, privateKey] = ["crt", "key"].map((kind) =>
      readFileSync(fixture(`${certificate}.test.${kind}`)),
    );
    const server = createSecureServer({ cert, key: privateKey });
    return { url: `https://${host}:${await listen(server)}`, server };
  };
}

function plainSite(listener: RequestListener) {
  return async () => {
    const server = createServer(listener);
    return { url: `http://localhost:${await listen(server)}`, server };
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const noTls = "there is no trustworthy TLS connection to localhost";
export const troubles = {
  // A DNS label has at most 63 characters, so no DNS server is queried.
  "a name that does not exist": {
    startSite: async () => ({ url: `https://${"a".repeat(64)}.invalid` }),
    detail: `the name ${"a".repeat(64)}.invalid cannot be looked up`,
    code: /ENOTFOUND|EAI_\w+/,
    remedy: /network and DNS/,
    isRetryable: true,
  },
  "a refused connection": {
    startSite: async () => {
      const { url, server } = await plainSite(() => {})();
      await new Promise((resolve) => server.close(resolve));
      return { url };
    },
    detail: "localhost takes no connection",
    code: /ECONNREFUSED/,
    remedy: /firewall/,
    isRetryable: true,
  },
  "a self-signed certificate": {
    startSite: secureSite("secure", "localhost"),
    detail: `${noTls}: its certificate is self-signed`,
    code: /DEPTH_ZERO_SELF_SIGNED_CERT/,
    remedy: /sign-in page.*NODE_EXTRA_CA_CERTS/,
    isRetryable: false,
  },
  "an expired certificate": {
    startSite: secureSite("expired", "localhost"),
    trusted: "expired.test.crt",
    detail: `${noTls}: its certificate has expired`,
    code: /CERT_HAS_EXPIRED/,
    remedy: /machine's clock/,
    isRetryable: false,
  },
  "a certificate for another name": {
    startSite: secureSite("secure", "localhost"),
    trusted: "secure.test.crt",
    detail: `${noTls}: its certificate is for another name`,
    code: /ERR_TLS_CERT_ALTNAME_INVALID/,
    remedy: /sign-in page.*DNS/,
    isRetryable: false,
  },
  "a connection that is cut while TLS begins": {
    startSite: async () => {
      const server = createServer().on("connection", (socket) => socket.resetAndDestroy());
      return { url: `https://localhost:${await listen(server)}`, server };
    },
    detail: noTls,
    code: /ECONNRESET/,
    remedy: /sign-in page/,
    isRetryable: true,
  },
  "a redirect to a sign-in page": {
    startSite: plainSite((_request, response) =>
      response.writeHead(302, { location: "http://portal.example/login?CANARY" }).end(),
    ),
    detail: "localhost redirects to portal.example instead of answering",
    code: /HTTP 302/,
    remedy: /sign-in page.*new address/,
    isRetryable: false,
    state: "warn",
  },
} satisfies Record<string, Trouble>;

/** A config with one upstream of each kind at this address, and a model for each. */
function configAt(url: string, tokens: { accessToken: string; refreshToken: string }) {
  const models = ["kimi-k2.6"];
  return {
    token: key,
    server: { port: 0 },
    upstreams: [
      { name: "web", kind: "kimi-web", baseUrl: url, authUrl: url, ...tokens },
      { name: "legacy", kind: "kimi-legacy", baseUrl: url, ...tokens },
      { name: "platform", kind: "openai", baseUrl: url, apiKey: "sk-CANARY", models, preset: "generic" },
    ],
    routes: { "on-web": ["web"], "on-legacy": ["legacy"], "kimi-k2.6": ["platform"] },
  };
}

/** Expects doctor, and a chat through each kind of upstream, to say the same of this trouble. */
export async function expectSameCause(trouble: Trouble): Promise<void> {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const { url, server } = await trouble.startSite();
  const folder = createTemporaryFolder();
  writeConfig(folder, configAt(url, simulator.issue()));
  const environment: Record<string, string> =
    trouble.trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: fixture(trouble.trusted) };
  try {
    const doctor = runMoonbridge(["doctor", "--json"], folder, environment);
    const gateway = runMoonbridge([], folder, environment);
    const gatewayUrl = await gateway.ready;
    const answers = await Promise.all(
      ["on-web", "on-legacy", "kimi-k2.6"].map((model) =>
        fetch(`${gatewayUrl}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], stream: true }),
        }),
      ),
    );
    await doctor.exit;
    const findings: { what: string; state: string; detail: string; remedy: string }[] = JSON.parse(
      doctor.output(),
    );
    const finding = findings.find(({ what }) => what === `network ${new URL(url).origin}`);
    expect(finding).toMatchObject({
      state: trouble.state ?? "fail",
      remedy: expect.stringMatching(trouble.remedy),
    });
    expect(finding?.detail.startsWith(`${trouble.detail} (`)).toBe(true);
    expect(finding?.detail).toMatch(trouble.code);
    for (const answer of answers) {
      expect(answer.status).toBe(502);
      expect(answer.headers.get("x-should-retry")).toBe(trouble.isRetryable ? null : "false");
      const { error } = JSON.parse(await answer.text());
      expect(error.code).toBe("upstream_unavailable");
      const said = / cannot be reached: (.*?\)\. .*)$/.exec(error.message)?.[1];
      expect(said).toBe(`${finding?.detail}. ${finding?.remedy}`);
    }
  } finally {
    server?.close();
  }
}
