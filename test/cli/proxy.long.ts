import { readFileSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { listenOnLoopback } from "../proxy/listen-on-loopback.js";
import { proxyLogin, startHttpProxy, startSocksProxy } from "../proxy/proxies.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "./process.js";

const read = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const key = "sk-CANARY-of-more-than-32-characters";

type Finding = { what: string; state: string; detail: string; remedy?: string };

/** Chats with the model at a gateway. */
function chat(url: string, model: string) {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });
}

/** A service with OpenAI's API. */
const platform: RequestListener = (request, response) => {
  request.resume();
  response.setHeader("content-type", "application/json");
  const message = { role: "assistant", content: "hi" };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  response.end(JSON.stringify({ id: "1", object: "chat.completion", choices }));
};

async function withSimulator(use: (simulator: Simulator) => Promise<void>): Promise<void> {
  const simulator = await startSimulator();
  try {
    await use(simulator);
  } finally {
    await simulator.close();
  }
}

test(
  "the start and doctor name the proxy of each upstream, without passwords, and use it",
  () =>
    withSimulator(async (simulator) => {
      const proxy = await startHttpProxy({ wantsPassword: true });
      const socks = await startSocksProxy({ wantsPassword: true });
      proxy.hosts["kimi.test"] = new URL(simulator.url).host;
      const folder = createTemporaryFolder();
      const site = { kind: "kimi-web", baseUrl: "http://kimi.test", authUrl: "http://kimi.test" };
      const own = { ...site, baseUrl: simulator.url, authUrl: simulator.url };
      writeConfig(folder, {
        ...{ token: key, server: { port: 0 } },
        upstreams: [
          { ...site, name: "web", ...simulator.issue() },
          { ...own, name: "own", proxy: `socks5://${proxyLogin}${socks.host}`, ...simulator.issue() },
        ],
        routes: { "on-web": ["web"], "on-own": ["own"] },
      });
      const environment = { HTTP_PROXY: `http://${proxyLogin}${proxy.host}` };
      const gateway = runMoonbridge([], folder, environment);
      const url = await gateway.ready;
      const line = `proxy: http://${proxy.host} (HTTP_PROXY) for http, socks5://${socks.host} for own`;
      expect(gateway.output().split("\n")).toContain(line);
      expect([(await chat(url, "on-web")).status, (await chat(url, "on-own")).status]).toEqual([200, 200]);
      expect(proxy.targets).toContain("kimi.test:80");
      expect(socks.targets).toContain(new URL(simulator.url).host);

      const doctor = runMoonbridge(["doctor", "--json"], folder, environment);
      await doctor.exit;
      const findings: Finding[] = JSON.parse(doctor.output());
      expect(findings.filter(({ what }) => /^(proxy|network)/.test(what))).toMatchObject([
        { what: `proxy http://${proxy.host}`, state: "ok", detail: "it is used for web, and it answers" },
        { what: `proxy socks5://${socks.host}`, state: "ok", detail: "it is used for own, and it answers" },
        { state: "ok", detail: expect.stringContaining(`, through the proxy http://${proxy.host}`) },
        { state: "ok", detail: expect.stringContaining(`, through the proxy socks5://${socks.host}`) },
      ]);
      const said = gateway.output() + gateway.log() + doctor.output() + doctor.log();
      expect(said).not.toMatch(/CANARY|\bme:/);
    }),
  60_000,
);

test(
  "login is verified through the proxy",
  () =>
    withSimulator(async (simulator) => {
      const proxy = await startHttpProxy({ wantsPassword: true });
      proxy.hosts["kimi.test"] = new URL(simulator.url).host;
      const { accessToken = "", refreshToken = "" } = simulator.issue();
      const process = runMoonbridge(
        ["login", "--base-url", "http://kimi.test", "--auth-url", "http://kimi.test"],
        createTemporaryFolder(),
        { http_proxy: `http://${proxyLogin}${proxy.host}` },
        JSON.stringify({ access_token: accessToken, refresh_token: refreshToken }),
      );
      expect([await process.exit, process.output()]).toEqual([
        0,
        expect.stringContaining("Kimi accepts this login"),
      ]);
      expect(new Set(proxy.targets)).toEqual(new Set(["kimi.test:80"]));
    }),
  60_000,
);

test("doctor says what the proxy refuses, and fails", async () => {
  const proxy = await startHttpProxy({ refusal: { status: 403 } });
  const folder = createTemporaryFolder();
  writeConfig(folder, {
    ...{ token: key, server: { port: 0 } },
    upstreams: [{ name: "platform", kind: "openai", baseUrl: "http://platform.test/v1", models: ["m"] }],
  });
  const doctor = runMoonbridge(["doctor", "--json"], folder, { all_proxy: `${proxyLogin}${proxy.host}` });
  expect(await doctor.exit).toBe(1);
  const findings: Finding[] = JSON.parse(doctor.output());
  expect(findings.filter(({ what }) => /^(proxy|network)/.test(what))).toMatchObject([
    { what: `proxy http://${proxy.host}`, state: "fail" },
    {
      what: "network http://platform.test",
      state: "fail",
      detail: `the proxy http://${proxy.host} does not permit a connection to platform.test (HTTP 403)`,
      remedy: expect.stringMatching(/about the proxy/),
    },
  ]);
  expect(doctor.output() + doctor.log()).not.toMatch(/CANARY|\bme:/);
}, 60_000);

describe.each([
  { host: "secure.test", status: 200, outcome: "a trusted certificate of the target is accepted" },
  { host: "other.test", status: 502, outcome: "a certificate for another name is the target's fault" },
])("$outcome", ({ host, status }) => {
  test("through HTTP, HTTPS and SOCKS5 proxies", async () => {
    const server = createSecureServer(
      { cert: read("secure.test.crt"), key: read("secure.test.key") },
      platform,
    );
    const site = await listenOnLoopback(server);
    const [plain, secure, socks] = [
      await startHttpProxy(),
      await startHttpProxy({}, true),
      await startSocksProxy(),
    ];
    for (const proxy of [plain, secure, socks]) proxy.hosts[host] = site;
    const proxies = {
      plain: `http://${plain.host}`,
      secure: `https://${secure.host}`,
      socks: `socks5h://${socks.host}`,
    };
    const folder = createTemporaryFolder();
    writeConfig(folder, {
      ...{ token: key, server: { port: 0 } },
      upstreams: Object.entries(proxies).map(([name, proxy]) => ({
        ...{ name, kind: "openai", preset: "generic", models: [name], proxy },
        baseUrl: `https://${host}/v1`,
      })),
    });
    const authorities = join(folder, "authorities.pem");
    writeFileSync(authorities, [read("secure.test.crt"), read("loopback.test.crt")].join("\n"));
    const environment = { NODE_EXTRA_CA_CERTS: authorities };
    const url = await runMoonbridge([], folder, environment).ready;
    const doctor = runMoonbridge(["doctor", "--json"], folder, environment);
    await doctor.exit;
    const findings: Finding[] = JSON.parse(doctor.output());
    for (const [name, proxy] of Object.entries(proxies)) {
      const answer = await chat(url, name);
      const text = await answer.text();
      expect([name, answer.status]).toEqual([name, status]);
      const finding = findings.find(
        ({ what, detail }) => what.startsWith("network") && detail.endsWith(`the proxy ${proxy}`),
      );
      expect(finding?.state).toBe(status === 200 ? "ok" : "fail");
      const trouble = `there is no trustworthy TLS connection to ${host}: its certificate is for another name`;
      if (status === 502) {
        expect(text).toContain(`cannot be reached through the proxy ${proxy}: ${trouble}`);
        expect(finding?.detail).toContain(trouble);
      }
    }
    for (const proxy of [plain, secure, socks])
      expect(new Set(proxy.targets)).toEqual(new Set([`${host}:443`]));
  }, 60_000);
});
