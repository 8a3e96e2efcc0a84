import { describe, expect, test } from "vitest";
import { describeProxies } from "../../src/proxy/describe-proxies.js";
import { ProxyRules } from "../../src/proxy/proxy-rules.js";
import { parseProxy, proxyLogin } from "./proxies.js";

const http = { variable: "http_proxy", proxy: parseProxy(`http://${proxyLogin}plain.corp:3128`) };
const https = { variable: "HTTPS_PROXY", proxy: parseProxy("socks5://secure.corp") };

/** Whether a target is reached directly with this NO_PROXY. */
function isDirect(noProxy: string, target: string): boolean {
  return new ProxyRules({ http, https }, noProxy).choose(new URL(target)) === undefined;
}

describe("NO_PROXY", () => {
  test.each([
    ["*", "https://www.kimi.com"],
    ["kimi.com", "https://kimi.com"],
    ["kimi.com", "https://www.kimi.com"],
    ["KIMI.com.", "https://www.kimi.com"],
    [".kimi.com", "https://www.kimi.com"],
    [".kimi.com", "https://kimi.com"],
    ["*.kimi.com", "https://www.kimi.com"],
    ["other.test, kimi.com", "https://kimi.com"],
    ["other.test kimi.com", "https://kimi.com"],
    ["kimi.com:443", "https://kimi.com"],
    ["kimi.com:8080", "http://kimi.com:8080"],
    ["10.1.2.3", "http://10.1.2.3"],
    ["10.1.2.3:80", "http://10.1.2.3"],
    ["10.0.0.0/8", "http://10.1.2.3:8080"],
    ["fd00::1", "http://[fd00:0::1]"],
    ["[fd00::1]:80", "http://[fd00::1]"],
    ["fd00::/8", "http://[fd12::1]"],
  ])("“%s” covers %s", (noProxy, target) => {
    expect(isDirect(noProxy, target)).toBe(true);
  });

  test.each([
    ["", "https://kimi.com"],
    ["kimi.com", "https://notkimi.com"],
    ["kimi.com", "https://kimi.com.evil.test"],
    ["www.kimi.com", "https://kimi.com"],
    ["kimi.com:80", "https://kimi.com"],
    ["10.1.2.3", "http://10.1.2.30"],
    ["10.0.0.0/8", "http://11.0.0.1"],
    ["10.0.0.0/8", "http://10.example"],
    ["fd00::/8", "http://[fe00::1]"],
  ])("“%s” does not cover %s", (noProxy, target) => {
    expect(isDirect(noProxy, target)).toBe(false);
  });
});

test.each([
  "http://localhost:1",
  "http://a.localhost",
  "http://127.9.9.9",
  "https://[::1]:1",
  "http://[::ffff:127.0.0.1]",
])("%s is reached directly whatever the environment says", (target) => {
  expect(isDirect("", target)).toBe(true);
});

test("HTTP_PROXY is for http targets and HTTPS_PROXY for https targets", () => {
  const rules = new ProxyRules({ http, https });
  expect(rules.choose(new URL("http://kimi.com"))).toBe(http.proxy);
  expect(rules.choose(new URL("https://kimi.com"))).toBe(https.proxy);
  expect(new ProxyRules({ https }).choose(new URL("http://kimi.com"))).toBeUndefined();
});

test("the proxy of an upstream takes the place of the environment, for this machine too", () => {
  const rules = new ProxyRules({ http, https }, "*");
  const choose = rules.chooseFor("http://own.corp:8080");
  for (const target of ["https://kimi.com", "http://127.0.0.1:1"])
    expect(choose(new URL(target))?.label).toBe("http://own.corp:8080");
  expect(new ProxyRules({ http, https }).chooseFor("none")(new URL("https://kimi.com"))).toBeUndefined();
});

test("the line of the start names each proxy and who uses it, without passwords", () => {
  const upstreams = [
    { name: "web" },
    { name: "own", proxy: `socks5://${proxyLogin}own.corp` },
    { name: "direct", proxy: "none" },
  ];
  expect(describeProxies(new ProxyRules({ http, https }), upstreams)).toBe(
    "socks5://secure.corp:1080 (HTTPS_PROXY), http://plain.corp:3128 (http_proxy) for http, socks5://own.corp:1080 for own, none for direct",
  );
  expect(
    describeProxies(new ProxyRules(), [{ name: "web" }, { name: "direct", proxy: "none" }]),
  ).toBeUndefined();
});
