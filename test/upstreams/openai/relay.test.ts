import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { request } from "undici";
import { describe, expect, test } from "vitest";
import {
  chunk,
  delta,
  done,
  helloStream,
  nonStreamedAnswer,
  twoCallsStream,
  usage,
  usageWithCache,
} from "../../fixtures/moonshot.js";
import { apiKey, chatBody, contentOf, parseChunks, postChat, waitUntil } from "../../gateway.js";
import { cutStream, gatewayTo, json, startPlatform, stream, text } from "./scripted-platform.js";

const usageChunk = helloStream[4] ?? "";

function chatRequest(more: Record<string, unknown> = {}) {
  return { ...chatBody("CANARY hi", { stream: true, ...more }), model: "kimi-k2.6" };
}

const withUsage = { stream_options: { include_usage: true } };

async function startGatewayAndPlatform(config = {}, options = {}) {
  const platform = await startPlatform();
  return { platform, gateway: await gatewayTo(platform, config, options) };
}

/** The body of the response, without Moonbridge's keep-alive comments. */
async function readBody(answer: Promise<Response>): Promise<string> {
  return (await (await answer).text()).replaceAll(": keep-alive\n\n", "");
}

describe("a recorded stream is relayed byte for byte", () => {
  test.each([
    ["D.3", helloStream],
    ["D.4", twoCallsStream],
  ])("%s, without comments of the service", async (_, recorded) => {
    const { platform, gateway } = await startGatewayAndPlatform();
    platform.respondWith(stream(": keep-alive\n\n", ...recorded.flatMap((line) => [line, ": ping\n\n"])));
    const withoutUsage = recorded.filter((line) => line !== usageChunk).join("");
    expect(await readBody(postChat(gateway, chatRequest(withUsage)))).toBe(
      recorded === helloStream
        ? helloStream.join("")
        : recorded.join("").replace(done, `${usageChunkOf(usage)}${done}`),
    );
    expect(await readBody(postChat(gateway, chatRequest()))).toBe(withoutUsage);
    expect(platform.calls.map(({ body }) => body.stream_options)).toEqual([
      { include_usage: true },
      { include_usage: true },
    ]);
  });

  test("split in two at every byte", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const bytes = Buffer.from(helloStream.join(""));
    for (let at = 1; at < bytes.length; at++) {
      platform.respondWith(stream(bytes.subarray(0, at), bytes.subarray(at)));
      const { body } = await request(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(chatRequest(withUsage)),
      });
      expect(await body.text(), `cut at ${at}`).toBe(bytes.toString());
    }
  }, 120_000);

  test("byte by byte, with CR LF and without the last blank line", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const bytes = Buffer.from(helloStream.join("").replaceAll("\n", "\r\n").trimEnd());
    platform.respondWith(stream(...Array.from(bytes, (byte) => Buffer.of(byte))));
    expect(await readBody(postChat(gateway, chatRequest(withUsage)))).toBe(helloStream.join(""));
  });

  test("with unknown fields, logprobs and a null usage", async () => {
    const { platform, gateway } = await startGatewayAndPlatform({ preset: "generic" });
    const unusualChunks = [
      delta({ role: "assistant", content: "", audio: null }),
      delta({ content: "a" }, null, {
        logprobs: { content: [{ token: "a", logprob: -0.5 }] },
        stop_reason: null,
      }),
      chunk([{ index: 0, delta: {}, finish_reason: "stop" }], {
        system_fingerprint: "fp",
        moon: { phase: [1, 2.5e3] },
      }),
      done,
    ];
    platform.respondWith(stream(...unusualChunks));
    expect(await readBody(postChat(gateway, chatRequest({ logprobs: true })))).toBe(unusualChunks.join(""));
    expect(platform.calls[0]?.body.logprobs).toBe(true);
  });

  test("except for line separators, which are escaped, and data of two lines, which is joined", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const [first = "", second = ""] = delta({ content: "a\u2028b" }).split(',"choices"');
    platform.respondWith(stream(`${first},\ndata: "choices"${second}`, delta({}, "stop"), done));
    const body = await readBody(postChat(gateway, chatRequest()));
    expect(body).not.toMatch(/\u2028/);
    expect(contentOf(parseChunks(body))).toBe("a\u2028b");
  });
});

describe("a whole answer is relayed", () => {
  test("byte for byte", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const body = `${JSON.stringify(nonStreamedAnswer, null, 2)}\n`;
    platform.respondWith(text(200, body, { "content-type": "application/json" }));
    const answer = await postChat(gateway, chatRequest({ stream: false, ...withUsage }));
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await answer.text()).toBe(body);
    expect(platform.calls[0]?.body).toMatchObject({ stream: false });
    expect(platform.calls[0]?.body).not.toHaveProperty("stream_options");
    const { authorization, "user-agent": agent } = platform.calls[0]?.headers ?? {};
    expect({ authorization, agent }).toEqual({
      authorization: expect.stringMatching(/^Bearer sk-CANARY/),
      agent: expect.stringMatching(/^Moonbridge\//),
    });
  });

  test.each([
    [
      "an error with status 200",
      { error: { message: "no", type: "invalid_request_error" } },
      400,
      "invalid_request",
    ],
    ["no answer in it", { hello: "world" }, 502, "upstream_protocol"],
    [
      "no finish reason",
      { ...nonStreamedAnswer, choices: [{ message: { content: "x" } }] },
      502,
      "upstream_protocol",
    ],
    [
      "broken off",
      { ...nonStreamedAnswer, choices: [{ message: {}, finish_reason: "abort" }] },
      502,
      "upstream_cut",
    ],
  ])("unless it is an error: %s", async (_, body, status, code) => {
    const { platform, gateway } = await startGatewayAndPlatform();
    platform.respondWith(json(200, body));
    const answer = await postChat(gateway, chatRequest({ stream: false }));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });
});

describe("a broken answer is an error", () => {
  const firstChunks = helloStream.slice(0, 3);
  const broken: [string, string[], string][] = [
    ["cut in the middle", firstChunks, "upstream_cut"],
    ["cut inside a chunk", [...firstChunks, (helloStream[3] ?? "").slice(0, 40)], "upstream_cut"],
    ["cut between the finish reason and [DONE]", helloStream.slice(0, 5), "upstream_cut"],
    [
      "an error in the stream",
      [...firstChunks, 'data: {"error":{"message":"x","type":"server_error"}}\n\n'],
      "upstream_unavailable",
    ],
    [
      "vLLM's old form of an error in the stream",
      [...firstChunks, 'data: {"object":"error","message":"m","code":503}\n\n'],
      "upstream_overloaded",
    ],
    ["[DONE] without a finish reason", [...firstChunks, done], "upstream_cut"],
    ["aborted by the engine", [...firstChunks, delta({}, "abort"), done], "upstream_cut"],
    ["invalid JSON", [...firstChunks, "data: {nonsense\n\n"], "upstream_protocol"],
  ];

  test.each(broken)("%s", async (_, parts, code) => {
    const { platform, gateway } = await startGatewayAndPlatform();
    for (const script of [cutStream(...parts), stream(...parts)]) {
      platform.respondWith(script);
      const body = await readBody(postChat(gateway, chatRequest(withUsage)));
      const chunks = parseChunks(body);
      expect(contentOf(chunks.slice(0, -1))).toBe("Hello, 月亮 🌙!");
      expect(chunks.at(-1)?.error).toMatchObject({ code });
      expect(body).not.toContain('"finish_reason":"');
    }
  });

  const failuresBeforeText: [string, ReturnType<typeof stream>, number, string][] = [
    ["cut before the first chunk", cutStream(), 502, "upstream_cut"],
    [
      "cut after the first chunk, which has only the role",
      cutStream(helloStream[0] ?? ""),
      502,
      "upstream_cut",
    ],
    ["ended before the first chunk", stream(), 502, "upstream_cut"],
    [
      "an error after the role chunk",
      stream(helloStream[0] ?? "", 'data: {"error":{"type":"engine_overloaded_error"}}\n\n'),
      503,
      "upstream_overloaded",
    ],
    ["a web page", text(200, "<html>", { "content-type": "text/html" }), 502, "upstream_protocol"],
    ["JSON, not a stream", json(200, nonStreamedAnswer), 502, "upstream_protocol"],
    ["one endless line", stream(`data: ${"x".repeat(17 * 1_048_576)}`), 502, "upstream_protocol"],
  ];

  test.each(failuresBeforeText)(
    "with its HTTP status before the first text: %s",
    async (_, script, status, code) => {
      const { platform, gateway } = await startGatewayAndPlatform();
      platform.respondWith(script);
      const answer = await postChat(gateway, chatRequest());
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ error: { code } });
    },
  );

  test("for a stream without bytes or with comments only", async () => {
    const { platform, gateway } = await startGatewayAndPlatform(
      {},
      { timeouts: { idle: 300, progress: 300 } },
    );
    platform.respondWith(
      (response) =>
        void response.writeHead(200, { "content-type": "text/event-stream" }).write(helloStream[0]),
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        while (!response.destroyed) {
          response.write(": still here\n\n");
          await setTimeout(20);
        }
      },
    );
    for (const _ of [1, 2]) expect((await postChat(gateway, chatRequest())).status).toBe(504);
    await waitUntil(() => platform.calls.every(({ closedEarly }) => closedEarly));
  });

  test("for a service that cannot be reached", async () => {
    const { platform, gateway } = await startGatewayAndPlatform({
      baseUrl: "http://127.0.0.1:9/v1",
      models: ["kimi-k2.6"],
    });
    expect(await (await postChat(gateway, chatRequest())).json()).toMatchObject({
      error: {
        code: "upstream_unavailable",
        message: expect.stringMatching(/Moonshot platform cannot be reached/),
      },
    });
    expect(platform.calls).toEqual([]);
  });
});

describe("usage is relayed", () => {
  const textChunks = [delta({ role: "assistant", content: "" }), delta({ content: "Hi" })];
  const places: [string, string[], object][] = [
    ["on the finish choice", [...textChunks, delta({}, "stop", { usage }), done], usage],
    [
      "on the finish chunk",
      [...textChunks, chunk([{ index: 0, delta: {}, finish_reason: "stop" }], { usage }), done],
      usage,
    ],
    [
      "in a chunk of its own",
      [...textChunks, delta({}, "stop"), chunk([], { usage: usageWithCache }), done],
      usageWithCache,
    ],
  ];

  test.each(places)("%s", async (_, recorded, counted) => {
    const { platform, gateway } = await startGatewayAndPlatform();
    platform.respondWith(stream(...recorded));
    const requested = parseChunks(await readBody(postChat(gateway, chatRequest(withUsage))));
    expect(requested.at(-1)).toMatchObject({ id: "chatcmpl-1", choices: [], usage: counted });
    expect(requested.at(-1)?.usage).not.toHaveProperty("estimated");
    expect(requested.filter(({ choices }) => choices.length === 0).length).toBe(1);
    const notRequested = parseChunks(await readBody(postChat(gateway, chatRequest())));
    expect(notRequested.every(({ choices }) => choices.length === 1)).toBe(true);
  });

  test("as an estimate, marked as one, if the service sends none", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    platform.respondWith(stream(...textChunks, delta({}, "stop"), done));
    expect(
      parseChunks(await readBody(postChat(gateway, chatRequest(withUsage)))).at(-1)?.usage,
    ).toMatchObject({
      estimated: true,
    });
  });
});

describe("size, back-pressure and concurrency", () => {
  test("only chunks that are too long for some clients are split", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const content = "月亮🌙".repeat(20_000);
    const args = JSON.stringify({ text: 'a"\n'.repeat(40_000) });
    const begin = { index: 0, id: "f:0", type: "function", function: { name: "f", arguments: args } };
    const end = chunk([{ index: 0, delta: { content: "z".repeat(70_000) }, finish_reason: "stop", x: 1 }], {
      usage,
    });
    platform.respondWith(stream(helloStream[0] ?? "", delta({ content, tool_calls: [begin] }), end, done));
    const body = await readBody(postChat(gateway, chatRequest()));
    const chunks = parseChunks(body);
    expect(body.startsWith(helloStream[0] ?? "")).toBe(true);
    expect(contentOf(chunks)).toBe(content + "z".repeat(70_000));
    const calls = chunks.flatMap(({ choices }) => Object(choices[0]?.delta).tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, id: "f:0", type: "function", function: { name: "f" } });
    expect(calls.filter((each) => "id" in each).length).toBe(1);
    expect(calls.map((each) => each.function.arguments).join("")).toBe(args);
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason).length).toBe(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: "stop", x: 1 }], usage });
  });

  test("ten megabytes are relayed, streamed and whole", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    const piece = delta({ content: "月".repeat(10_000) });
    const parts = [
      helloStream[0] ?? "",
      ...Array.from({ length: 350 }, () => piece),
      delta({}, "stop"),
      done,
    ];
    platform.respondWith(stream(...parts));
    expect((await readBody(postChat(gateway, chatRequest()))) === parts.join("")).toBe(true);
    const big = JSON.stringify({ ...nonStreamedAnswer, filler: "x".repeat(10 * 1_048_576) });
    platform.respondWith(text(200, big));
    expect((await readBody(postChat(gateway, chatRequest({ stream: false })))) === big).toBe(true);
  });

  test("a client that does not read holds the service back", async () => {
    const { platform, gateway } = await startGatewayAndPlatform();
    let isHeldBack = false;
    let written = 0;
    platform.respondWith(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const piece = delta({ content: "x".repeat(50_000) });
      while (written < 600) {
        written++;
        isHeldBack = !response.write(piece);
        if (isHeldBack) await once(response, "drain");
        else await setImmediate();
      }
      response.end(delta({}, "stop") + done);
    });
    const answer = await postChat(gateway, chatRequest());
    for (let before = -1; before !== written || !isHeldBack; ) {
      before = written;
      await setTimeout(300);
    }
    expect(written).toBeLessThan(600);
    expect(contentOf(parseChunks(await answer.text())).length).toBe(600 * 50_000);
  });

  test.each([true, false])(
    "a client's disconnect closes the service's connection (stream: %s)",
    async (streams) => {
      const { platform, gateway } = await startGatewayAndPlatform();
      platform.respondWith((response) => {
        if (streams)
          response
            .writeHead(200, { "content-type": "text/event-stream" })
            .write(helloStream.slice(0, 3).join(""));
      });
      const client = new AbortController();
      const answer = postChat(gateway, chatRequest({ stream: streams }), { signal: client.signal });
      answer.catch(() => {});
      if (streams) await (await answer).body?.getReader().read();
      await waitUntil(() => platform.calls.length === 1);
      client.abort();
      await waitUntil(() => platform.calls[0]?.closedEarly === true);
    },
  );

  test("concurrent answers are limited by the config; the others queue", async () => {
    const { platform, gateway } = await startGatewayAndPlatform({ concurrency: 1 });
    let running = 0;
    let maxRunning = 0;
    platform.respondWith(async (response) => {
      maxRunning = Math.max(maxRunning, ++running);
      await setTimeout(20);
      response.writeHead(200, { "content-type": "text/event-stream" }).end(helloStream.join(""));
      running--;
    });
    const answers = await Promise.all(
      [1, 2, 3].map(() => readBody(postChat(gateway, chatRequest(withUsage)))),
    );
    expect(answers).toEqual(Array.from({ length: 3 }, () => helloStream.join("")));
    expect(maxRunning).toBe(1);
  });

  test("a request that is aborted in the queue never reaches the service", async () => {
    const { platform, gateway } = await startGatewayAndPlatform({ concurrency: 1 });
    let finish = () => {};
    platform.respondWith((response) => {
      response
        .writeHead(200, { "content-type": "text/event-stream" })
        .write(helloStream.slice(0, 3).join(""));
      finish = () => response.end(helloStream.slice(3).join(""));
    });
    const first = readBody(postChat(gateway, chatRequest(withUsage)));
    await waitUntil(() => platform.calls.length === 1);
    const client = new AbortController();
    postChat(gateway, chatRequest(), { signal: client.signal }).catch(() => {});
    // The request is queued once the model list, which is fetched first, has arrived.
    await setTimeout(100);
    client.abort();
    await waitUntil(() => gateway.logEntries().some(({ failure }) => failure === "cancelled"));
    finish();
    expect(await first).toBe(helloStream.join(""));
    const third = readBody(postChat(gateway, chatRequest(withUsage)));
    await waitUntil(() => platform.calls.length === 2);
    finish();
    expect(await third).toBe(helloStream.join(""));
  });
});

/** The usage chunk that Moonbridge adds if it was requested and the service sends none. */
function usageChunkOf({ prompt_tokens, completion_tokens, total_tokens }: typeof usage): string {
  const usage = {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
    cached_tokens: 0,
  };
  return chunk([], { usage });
}
