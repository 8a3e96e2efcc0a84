import { expect, test } from "vitest";
import { LinkFetcher } from "../../src/files/link-fetcher.js";
import { SsrfGuard } from "../../src/files/ssrf-guard.js";
import { ProxyRules } from "../../src/proxy/proxy-rules.js";
import { chatBody, postChat, startGateway } from "../gateway.js";
import { rulesFor, signal, startBehind, testOutboundCalls } from "./outbound-calls.js";
import { startHttpProxy, startSocksProxy } from "./proxies.js";

testOutboundCalls(["an HTTP proxy with a password", "a SOCKS5 proxy"]);

test("socks5 asks for an address, and socks5h for the name", async () => {
  const proxy = await startSocksProxy();
  const simulatorUrl = { port: "" };
  for (const scheme of ["socks5://", "socks5h://"]) {
    const gateway = await startGateway({
      proxies: new ProxyRules(),
      upstreams: (simulator) => {
        simulatorUrl.port = new URL(simulator.url).port;
        const url = `http://localhost:${simulatorUrl.port}`;
        const site = { baseUrl: url, authUrl: url, proxy: scheme + proxy.host };
        return [{ name: "named", kind: "kimi-web", ...site, ...simulator.issue() }];
      },
      routes: { kimi: ["named"] },
    });
    expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
    const host = scheme === "socks5://" ? "127.0.0.1" : "localhost";
    expect(proxy.targets.splice(0)).toContain(`${host}:${simulatorUrl.port}`);
  }
});

test("targets that NO_PROXY names, and this machine, are reached directly", async () => {
  const proxy = await startHttpProxy();
  const gateway = await startGateway({ proxies: rulesFor(proxy, "http://", "kimi.test") });
  expect((await postChat(gateway, chatBody("hello"))).status).toBe(200);
  const excluded = await startBehind(proxy, { proxies: rulesFor(proxy, "http://", "kimi.test") });
  expect((await postChat(excluded, chatBody("hello"))).status).toBe(502);
  expect(proxy.targets).toEqual([]);
});

test("“none” of an upstream takes precedence over the environment", async () => {
  const proxy = await startHttpProxy();
  const gateway = await startBehind(proxy, { proxies: rulesFor(proxy, "http://"), proxy: "none" });
  expect((await postChat(gateway, chatBody("hello"))).status).toBe(502);
  expect(proxy.targets).toEqual([]);
});

test("a link whose name only the proxy could look up is not fetched", async () => {
  const proxy = await startHttpProxy();
  const gateway = await startBehind(proxy, { proxies: rulesFor(proxy, "http://") });
  const link = `http://${"a".repeat(64)}.example/a.txt`;
  const answer = await postChat(gateway, {
    model: "kimi",
    messages: [{ role: "user", content: [{ type: "file", file: { file_data: link } }] }],
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: "link_unreachable" } });
  expect(proxy.targets.some((target) => target.includes("example"))).toBe(false);
});

test("a link to a private address is refused before a proxy is asked", async () => {
  const proxy = await startHttpProxy();
  const fetcher = new LinkFetcher(new SsrfGuard({ allowPrivate: false }), {
    chooseProxy: rulesFor(proxy, "http://").chooseFor(),
    resolve: async () => [{ address: "10.0.0.1", family: 4 }],
  });
  await expect(fetcher.open("http://files.test/", signal)).rejects.toMatchObject({ code: "link_forbidden" });
  expect(proxy.targets).toEqual([]);
});
