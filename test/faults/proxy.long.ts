import { createServer } from "node:http";
import { createServer as createRawServer } from "node:net";
import { describe, expect, test } from "vitest";
import { apiKey, chatBody, postChat, startGateway, waitUntil } from "../gateway.js";
import { listenOnLoopback } from "../proxy/listen-on-loopback.js";
import { proxyLogin, startHttpProxy, startSocksProxy } from "../proxy/proxies.js";

type ProxyCase = { start(): Promise<string>; message: RegExp; code: RegExp; isRetryable: boolean };

const refusing = (status: number, headers?: Record<string, string>) => async () =>
  `http://${proxyLogin}${(await startHttpProxy({ refusal: { status, ...(headers ? { headers } : {}) } })).host}`;
const rejecting = (reply: number) => async () =>
  `socks5://${proxyLogin}${(await startSocksProxy({ refusal: { reply } })).host}`;

/** A server that is not a proxy. */
const foreign = (scheme: string, bytes: string) => async () => {
  const server = createRawServer((socket) => socket.on("error", () => {}).end(bytes));
  return `${scheme}://${proxyLogin}${await listenOnLoopback(server)}`;
};

const closedPort = (scheme: string) => async () => {
  const server = createServer();
  const host = await listenOnLoopback(server);
  await new Promise((resolve) => server.close(resolve));
  return `${scheme}://${proxyLogin}${host}`;
};

const cases: Record<string, ProxyCase> = {
  "an HTTP proxy that wants a password": {
    start: async () => `http://${(await startHttpProxy({ wantsPassword: true })).host}`,
    message: /does not accept this user name and password, or wants some \(HTTP 407\)/,
    code: /HTTP 407/,
    isRetryable: false,
  },
  "an HTTP proxy that permits no tunnel": {
    start: refusing(403),
    message: /does not permit a connection to 127\.0\.0\.1 \(HTTP 403\)/,
    code: /HTTP 403/,
    isRetryable: false,
  },
  "an HTTP proxy that cannot reach Kimi": {
    start: refusing(502),
    message: /cannot reach 127\.0\.0\.1 \(HTTP 502\)/,
    code: /HTTP 502/,
    isRetryable: true,
  },
  "an HTTP proxy that cannot look up Kimi's name": {
    start: refusing(503, { "x-squid-error": "ERR_DNS_FAIL 0" }),
    message: /cannot look up the name 127\.0\.0\.1 \(HTTP 503\)/,
    code: /HTTP 503/,
    isRetryable: true,
  },
  "a web server in place of a proxy": {
    start: refusing(405),
    message: /does not answer as a proxy \(HTTP 405\)/,
    code: /HTTP 405/,
    isRetryable: false,
  },
  "an HTTP proxy that answers in no HTTP": {
    start: foreign("http", "no HTTP\r\n\r\n"),
    message: /does not answer as a proxy \(HPE_/,
    code: /^HPE_/,
    isRetryable: false,
  },
  "an HTTP proxy that closes the connection": {
    start: foreign("http", ""),
    message: /closes the connection without an answer/,
    code: /ECONNRESET/,
    isRetryable: true,
  },
  "an HTTP proxy that does not run": {
    start: closedPort("http"),
    message: /cannot be used: 127\.0\.0\.1 takes no connection \(ECONNREFUSED\).*whether the proxy runs/,
    code: /ECONNREFUSED/,
    isRetryable: true,
  },
  "a proxy whose name does not exist": {
    // A DNS label has at most 63 characters, so no DNS server is queried.
    start: async () => `http://${"a".repeat(64)}.invalid:3128`,
    message: /cannot be used: the name a{64}\.invalid cannot be looked up/,
    code: /ENOTFOUND|EAI_/,
    isRetryable: true,
  },
  "an HTTPS proxy with an untrusted certificate": {
    start: async () => `https://${proxyLogin}${(await startHttpProxy({}, true)).host}`,
    message:
      /cannot be used: there is no trustworthy TLS connection to 127\.0\.0\.1: its certificate is self-signed/,
    code: /SELF_SIGNED/,
    isRetryable: false,
  },
  "a SOCKS5 proxy that wants a password": {
    start: async () => `socks5://${(await startSocksProxy({ wantsPassword: true })).host}`,
    message: /does not accept this user name and password, or wants some \(SOCKS5 authentication\)/,
    code: /SOCKS5/,
    isRetryable: false,
  },
  "a SOCKS5 proxy with another password": {
    start: async () => `socks5://me:CANARY@${(await startSocksProxy({ wantsPassword: true })).host}`,
    message: /does not accept this user name and password, or wants some \(SOCKS5 authentication\)/,
    code: /SOCKS5/,
    isRetryable: false,
  },
  "a SOCKS5 proxy that permits no tunnel": {
    start: rejecting(2),
    message: /does not permit a connection to 127\.0\.0\.1 \(SOCKS5 NotAllowed\)/,
    code: /SOCKS5 NotAllowed/,
    isRetryable: false,
  },
  "a SOCKS5 proxy that cannot reach Kimi": {
    start: rejecting(4),
    message: /cannot reach 127\.0\.0\.1 \(SOCKS5 HostUnreachable\)/,
    code: /SOCKS5 HostUnreachable/,
    isRetryable: true,
  },
  "a SOCKS5 proxy that closes the connection": {
    start: foreign("socks5", ""),
    message: /closes the connection without an answer/,
    code: /SOCKS5/,
    isRetryable: true,
  },
  "a web server in place of a SOCKS5 proxy": {
    start: foreign("socks5", "HTTP/1.1 400 Bad Request\r\n\r\n"),
    message: /does not answer as a proxy/,
    code: /SOCKS5/,
    isRetryable: false,
  },
  "a SOCKS5 proxy that does not run": {
    start: closedPort("socks5h"),
    message: /cannot be used: 127\.0\.0\.1 takes no connection \(ECONNREFUSED\)/,
    code: /ECONNREFUSED/,
    isRetryable: true,
  },
};

describe.each(Object.entries(cases))("%s", (_name, { start, message, isRetryable }) => {
  test("is named in the error, without its password, and told apart from Kimi", async () => {
    const proxy = await start();
    const gateway = await startGateway({ proxy });
    const answer = await postChat(gateway, chatBody("hello", { stream: true }));
    const text = await answer.text();
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([
      502,
      isRetryable ? null : "false",
    ]);
    const { error } = JSON.parse(text);
    expect(error.code).toBe("upstream_unavailable");
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`the proxy ${proxy.replace(proxyLogin, "").replace("me:CANARY@", "")}`);
    expect(error.message).toContain("This is about the proxy, not about what is behind it.");
    const log = JSON.stringify(gateway.logEntries());
    expect(log).not.toContain("CANARY");
    expect(text).not.toMatch(/CANARY|\bme:/);
    expect(gateway.simulator.calls).toEqual([]);
  });
});

test("Kimi's own trouble behind a proxy is Kimi's, and the proxy is named", async () => {
  const proxy = await startHttpProxy();
  const gateway = await startGateway({ proxy: `http://${proxy.host}` });
  gateway.simulator.fault({ kind: "cut", after: 0 });
  const answer = await postChat(gateway, chatBody("hello"));
  expect(await answer.json()).toMatchObject({
    error: {
      code: "upstream_cut",
      message: expect.stringContaining(`through the proxy http://${proxy.host} broke`),
    },
  });
});

const starts = {
  "an HTTP proxy": async () => {
    const proxy = await startHttpProxy({ wantsPassword: true });
    return { proxy, address: `http://${proxyLogin}${proxy.host}` };
  },
  "a SOCKS5 proxy": async () => {
    const proxy = await startSocksProxy({ wantsPassword: true });
    return { proxy, address: `socks5h://${proxyLogin}${proxy.host}` };
  },
};

describe.each(Object.entries(starts))("through %s", (_name, start) => {
  test.each(["kimi-web", "kimi-legacy"] as const)(
    "a stream of 1,500 deltas of %s is byte for byte the same",
    async (kind) => {
      const { address } = await start();
      const bodies = [];
      for (const options of [{}, { proxy: address }]) {
        const gateway = await startGateway({ kind, ...options });
        const answer = await postChat(gateway, chatBody("sim:repeat=1500", { stream: true }));
        bodies.push((await answer.text()).replace(/"(id|created|conversation_id)":("[^"]*"|\d+)/g, '"$1":0'));
      }
      expect(bodies[0]?.split("\n\n").length).toBeGreaterThan(1_000);
      expect(bodies[1]).toBe(bodies[0]);
    },
  );

  test("a client that leaves stops the answer at Kimi", async () => {
    const { address } = await start();
    const gateway = await startGateway({ proxy: address });
    const client = new AbortController();
    const body = chatBody("sim:repeat=1000 sim:slow=20", { stream: true });
    const answer = await postChat(gateway, body, { signal: client.signal });
    await answer.body?.getReader().read();
    expect(gateway.simulator.counts().openStreams).toBe(1);
    client.abort();
    await waitUntil(() => gateway.simulator.counts().openStreams === 0);
    await waitUntil(() => gateway.simulator.counts().cancels === 1);
  });

  test("a proxy that ends in the middle of an answer is an error in the stream", async () => {
    const { proxy, address } = await start();
    const gateway = await startGateway({ proxy: address });
    const answer = await postChat(gateway, chatBody("sim:repeat=1000 sim:slow=20", { stream: true }));
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      text += part.value;
      if (text.includes('"content"')) proxy.kill();
    }
    expect(text).toContain('"code":"upstream_cut"');
    expect(text).toContain(`through the proxy ${address.replace(proxyLogin, "")} broke`);
    expect(text).not.toContain('"finish_reason":"stop"');
    expect(text).not.toContain(apiKey);
  });
});
