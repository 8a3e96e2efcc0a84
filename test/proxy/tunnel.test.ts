import { createServer } from "node:net";
import { expect, test } from "vitest";
import { openTunnel } from "../../src/proxy/tunnel.js";
import { listenOnLoopback } from "./listen-on-loopback.js";
import { parseProxy, startSocksProxy } from "./proxies.js";

const target = new URL("https://kimi.test");

test.each(["http", "https", "socks5h"])("a silent %s proxy fails at the deadline", async (scheme) => {
  const sockets: { destroyed: boolean }[] = [];
  const host = await listenOnLoopback(createServer((socket) => sockets.push(socket)));
  const proxy = parseProxy(`${scheme}://${host}`);
  await expect(openTunnel(proxy, target, AbortSignal.timeout(200))).rejects.toMatchObject({
    name: "ProxyError",
    code: "ETIMEDOUT",
    isLasting: false,
  });
  expect(sockets).toHaveLength(1);
});

test("a name that socks5 cannot look up here is the target's failure, not the proxy's", async () => {
  const proxy = await startSocksProxy();
  // A DNS label has at most 63 characters, so no DNS server is queried.
  const opening = openTunnel(
    parseProxy(`socks5://${proxy.host}`),
    new URL(`https://${"a".repeat(64)}.invalid`),
    AbortSignal.timeout(5_000),
  );
  await expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/ENOTFOUND|EAI_/) });
  expect(proxy.targets).toEqual([]);
});

test("a name that is too long for SOCKS5 fails before the proxy is asked", async () => {
  const proxy = await startSocksProxy();
  const url = new URL(`https://${"a.".repeat(130)}test`);
  await expect(
    openTunnel(parseProxy(`socks5h://${proxy.host}`), url, AbortSignal.timeout(5_000)),
  ).rejects.toMatchObject({ name: "ProxyError", code: "ENOTFOUND" });
  expect(proxy.targets).toEqual([]);
});
