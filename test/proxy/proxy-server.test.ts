import { inspect } from "node:util";
import { expect, test } from "vitest";
import { ProxyServer } from "../../src/proxy/proxy-server.js";
import { parseProxy, proxyLogin, proxyPassword } from "./proxies.js";

test.each([
  ["http://proxy.corp", "http://proxy.corp:80"],
  ["https://proxy.corp/", "https://proxy.corp:443"],
  ["socks5://[::1]:1081", "socks5://[::1]:1081"],
  ["socks5h://10.0.0.1", "socks5h://10.0.0.1:1080"],
  ["socks://127.0.0.1:7890", "socks5h://127.0.0.1:7890"],
  ["HTTP://Proxy_1.corp:3128", "http://proxy_1.corp:3128"],
])("%s is the proxy %s", (text, label) => {
  expect(parseProxy(text).label).toBe(label);
});

test.each([
  "",
  "proxy.corp:3128",
  "socks4://proxy.corp",
  "ftp://proxy.corp",
  "http://proxy.corp/path",
  "http://proxy.corp?query",
  "http://proxy.corp:99999",
  "socks5://pro%20xy",
  "http://%ff:x@proxy.corp",
  `socks5://me:${"x".repeat(256)}@proxy.corp`,
])("“%s” is not the address of a proxy", (text) => {
  expect(ProxyServer.parse(text)).toBeUndefined();
});

test("user name and password are shown by no way of printing a proxy", () => {
  const proxy = parseProxy(`http://${proxyLogin}proxy.corp`);
  expect(proxy.revealCredentials()).toEqual({ user: "me", password: proxyPassword });
  const printed = [inspect(proxy, { showHidden: true }), JSON.stringify(proxy), `${proxy.label}`];
  expect(printed.join()).not.toMatch(/CANARY|\bme:/);
});
