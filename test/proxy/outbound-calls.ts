import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { LinkFetcher } from "../../src/files/link-fetcher.js";
import { SsrfGuard } from "../../src/files/ssrf-guard.js";
import { Notifier } from "../../src/observability/notifier.js";
import { createProxyAgent } from "../../src/proxy/proxy-agent.js";
import { ProxyRules } from "../../src/proxy/proxy-rules.js";
import { IssuerConnection } from "../../src/server/auth/oauth/issuer-connection.js";
import { IssuerKeySet } from "../../src/server/auth/oauth/issuer-keys.js";
import { chatBody, type GatewayOptions, postChat, startGateway, waitUntil } from "../gateway.js";
import { startPlatform } from "../upstreams/openai/scripted-platform.js";
import { listenOnLoopback } from "./listen-on-loopback.js";
import { parseProxy, proxyLogin, startHttpProxy, startSocksProxy, type TestProxy } from "./proxies.js";

/** The kinds of proxies. All look up names themselves. */
const kinds = {
  "an HTTP proxy": { start: () => startHttpProxy(), scheme: "http://" },
  "an HTTP proxy with a password": {
    start: () => startHttpProxy({ wantsPassword: true }),
    scheme: `http://${proxyLogin}`,
  },
  "a SOCKS5 proxy": { start: () => startSocksProxy(), scheme: "socks5h://" },
  "a SOCKS5 proxy with a password": {
    start: () => startSocksProxy({ wantsPassword: true }),
    scheme: `socks5h://${proxyLogin}`,
  },
};

export const signal = new AbortController().signal;

/** The rules of an environment whose variables all name this proxy. */
export function rulesFor(proxy: TestProxy, scheme: string, noProxy = ""): ProxyRules {
  const variable = { variable: "ALL_PROXY", proxy: parseProxy(scheme + proxy.host) };
  return new ProxyRules({ http: variable, https: variable }, noProxy);
}

/** A gateway whose Kimi is `kimi.test`, a name that only the proxy can look up. */
export async function startBehind(proxy: TestProxy, options: GatewayOptions) {
  const gateway = await startGateway({ baseUrl: "http://kimi.test", ...options });
  proxy.hosts["kimi.test"] = new URL(gateway.simulator.url).host;
  return gateway;
}

/** A server with one text file. */
async function startFileServer(): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/plain");
    response.end(`the file of ${request.headers.host}`);
  });
  return listenOnLoopback(server);
}

const file = Buffer.from("an attached file").toString("base64");
const withFile = {
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "read it" },
        { type: "file", file: { filename: "a.txt", file_data: `data:text/plain;base64,${file}` } },
      ],
    },
  ],
};

/** Each outbound call goes through proxies of these kinds. */
export function testOutboundCalls(names: readonly (keyof typeof kinds)[]): void {
  describe.each(names)("through %s goes", (name) => {
    const { start, scheme } = kinds[name];
    test.each(["kimi-web", "kimi-legacy"] as const)(
      "a chat with a file and a refresh of %s",
      async (kind) => {
        const proxy = await start();
        const gateway = await startBehind(proxy, {
          kind,
          proxies: rulesFor(proxy, scheme),
          tokens: (simulator) => simulator.issue({ accessSeconds: -1 }),
        });
        // The storage of the older protocol has an address of its own.
        const answer = await postChat(
          gateway,
          kind === "kimi-web" ? chatBody("", withFile) : chatBody("hello"),
        );
        expect(await answer.text()).toContain('"finish_reason":"stop"');
        const { refreshes, legacyRefreshes } = gateway.simulator.counts();
        expect(refreshes + legacyRefreshes).toBe(1);
        expect(new Set(proxy.targets)).toEqual(new Set(["kimi.test:80"]));
      },
    );

    test("an upload to the storage of kimi-legacy", async () => {
      const proxy = await start();
      const gateway = await startGateway({ kind: "kimi-legacy", proxy: scheme + proxy.host });
      const answer = await postChat(gateway, chatBody("", withFile));
      expect(await answer.text()).toContain('"finish_reason":"stop"');
      // The site, and the storage over a connection of its own.
      expect(proxy.targets.length).toBeGreaterThan(1);
    });

    test("a chat with the platform", async () => {
      const proxy = await start();
      const platform = await startPlatform();
      proxy.hosts["platform.test"] = new URL(platform.url).host;
      const { pathname } = new URL(platform.url);
      const gateway = await startBehind(proxy, {
        proxies: rulesFor(proxy, scheme),
        upstreams: () => [
          {
            ...{ name: "platform", kind: "openai", preset: "generic", models: ["kimi-k2.6"] },
            baseUrl: `http://platform.test${pathname}`,
          },
        ],
        routes: { "kimi-k2.6": ["platform"] },
      });
      await postChat(gateway, chatBody("hello", { model: "kimi-k2.6" }));
      expect(platform.calls).toHaveLength(1);
      expect(new Set(proxy.targets)).toEqual(new Set(["kimi.test:80", "platform.test:80"]));
    });

    test("a link of a message, by its checked address and under its name", async () => {
      const proxy = await start();
      proxy.hosts["93.184.216.34:80"] = await startFileServer();
      const gateway = await startBehind(proxy, { proxies: rulesFor(proxy, scheme) });
      const content = [{ type: "file", file: { file_data: "http://93.184.216.34/a.txt" } }];
      const answer = await postChat(gateway, { model: "kimi", messages: [{ role: "user", content }] });
      expect([answer.status, proxy.targets.includes("93.184.216.34:80")]).toEqual([200, true]);

      const fetcher = new LinkFetcher(new SsrfGuard({ allowPrivate: false }), {
        chooseProxy: rulesFor(proxy, scheme).chooseFor(),
        resolve: async () => [{ address: "93.184.216.34", family: 4 }],
      });
      const { body } = await fetcher.open("http://files.test/a.txt", signal);
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe("the file of files.test");
      expect(proxy.targets).not.toContain("files.test:80");
    });

    test("a notification to the webhook", async () => {
      const proxy = await start();
      proxy.hosts["hooks.test"] = await startFileServer();
      const connections = createProxyAgent(rulesFor(proxy, scheme).chooseFor(), { timeout: 5_000 });
      const warnings: string[] = [];
      const notifier = new Notifier({
        settings: () => ({ webhook: "http://hooks.test/CANARY" }),
        warn: (message) => warnings.push(message),
        dispatcher: connections,
      });
      notifier.notify({ event: "login_works", text: "It works." });
      await waitUntil(() => proxy.targets.length > 0 || warnings.length > 0);
      await notifier.close();
      await connections.destroy();
      expect(proxy.targets).toEqual(["hooks.test:80"]);
    });

    test("the fetch of an issuer's keys", async () => {
      const proxy = await start();
      const issuer = "http://issuer.test";
      const server = createServer((request, response) =>
        response.end(
          JSON.stringify(request.url === "/keys" ? { keys: [] } : { issuer, jwks_uri: `${issuer}/keys` }),
        ),
      );
      proxy.hosts["issuer.test"] = await listenOnLoopback(server);
      const connection = new IssuerConnection(rulesFor(proxy, scheme).chooseFor());
      onTestFinished(() => connection.close());
      const keys = new IssuerKeySet(issuer, connection);
      const token = { payload: "", signature: "" };
      await expect(keys.find({ alg: "RS256" }, token)).rejects.toThrow(/no applicable key/);
      expect(new Set(proxy.targets)).toEqual(new Set(["issuer.test:80"]));
    });
  });
}
