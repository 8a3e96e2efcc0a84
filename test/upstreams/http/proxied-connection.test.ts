import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createHost, fetchResponse, unaryTimeouts } from "../../../src/upstreams/http/client.js";
import { listenOnLoopback } from "../../proxy/listen-on-loopback.js";
import { parseProxy, startHttpProxy, startSocksProxy } from "../../proxy/proxies.js";

const signal = new AbortController().signal;
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

const proxies = {
  "an HTTP proxy": async () => `http://${(await startHttpProxy()).host}`,
  "a SOCKS5 proxy": async () => `socks5://${(await startSocksProxy()).host}`,
};

/** A service behind a proxy that treats its nth request as given, and a way to send one. */
async function startService(startProxy: () => Promise<string>, answers: readonly ("ok" | "close")[]) {
  const seen = { requests: 0 };
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (data) => {
      received += data;
      if (!received.endsWith("\r\n\r\nprompt")) return;
      received = "";
      const answer = answers[seen.requests++];
      if (answer === "ok") socket.write(ok);
      else socket.destroy();
    });
  });
  const proxy = parseProxy(await startProxy());
  const host = createHost(
    "Kimi",
    `http://${await listenOnLoopback(server)}`,
    {},
    { chooseProxy: () => proxy },
  );
  onTestFinished(() => host.pool.destroy());
  const send = () =>
    fetchResponse(host, { method: "POST", path: "/", body: "prompt", signal, ...unaryTimeouts });
  return { seen, send };
}

/** Lets the end of the answer before be processed, so that its connection is idle. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 20));

test.each(Object.entries(proxies))(
  "a request on a new connection through %s that closes unanswered is not sent again",
  async (_name, start) => {
    const { seen, send } = await startService(start, ["close", "ok"]);
    await expect(send()).rejects.toMatchObject({ code: "upstream_cut" });
    expect(seen.requests).toBe(1);
  },
);

test.each(Object.entries(proxies))(
  "a request on an idle connection through %s that closes unanswered is sent once more",
  async (_name, start) => {
    const { seen, send } = await startService(start, ["ok", "close", "ok"]);
    await send();
    await idle();
    expect((await send()).body).toBe("ok");
    expect(seen.requests).toBe(3);
  },
);
