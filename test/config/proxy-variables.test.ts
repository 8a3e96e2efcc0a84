import { expect, test } from "vitest";
import { readProxyVariables } from "../../src/config/proxy-variables.js";

function labels(environment: Record<string, string>) {
  const { http, https } = readProxyVariables(environment);
  return [http, https].map((each) => each && `${each.variable} ${each.proxy.label}`);
}

test("each variable is read in upper and in lower case, and the lower-case one counts", () => {
  expect(labels({ HTTP_PROXY: "http://a.corp", https_proxy: "http://b.corp" })).toEqual([
    "HTTP_PROXY http://a.corp:80",
    "https_proxy http://b.corp:80",
  ]);
  expect(labels({ HTTP_PROXY: "http://a.corp", http_proxy: "http://b.corp" })[0]).toBe(
    "http_proxy http://b.corp:80",
  );
});

test("ALL_PROXY stands in for a variable that is missing or empty", () => {
  expect(labels({ all_proxy: "socks5://a.corp", HTTPS_PROXY: "http://b.corp", HTTP_PROXY: " " })).toEqual([
    "all_proxy socks5://a.corp:1080",
    "HTTPS_PROXY http://b.corp:80",
  ]);
});

test("an address without a scheme is that of an HTTP proxy", () => {
  expect(labels({ ALL_PROXY: "me:secret@a.corp:3128" })[1]).toBe("ALL_PROXY http://a.corp:3128");
});

test("NO_PROXY is read in both cases", () => {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const rules = readProxyVariables({ ALL_PROXY: "http://a.corp", [name]: "kimi.com" });
    expect(rules.choose(new URL("https://kimi.com"))).toBeUndefined();
    expect(rules.choose(new URL("https://kimi.ai"))).toBeDefined();
  }
});

test("an address that is none is refused by the variable's name, without its text", () => {
  expect(() => readProxyVariables({ https_proxy: "socks4://me:CANARY@a.corp" })).toThrow(
    /^https_proxy: expected an http, https, socks5 or socks5h address of a proxy\.$/,
  );
});
