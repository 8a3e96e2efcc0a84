import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { request } from "undici";
import { describe, expect, test } from "vitest";
import { cachedToo, chunk, delta, done, hello, twoCalls, used, whole } from "../../fixtures/moonshot.js";
import { apiKey, asking, chunksOf, post, textOf, until } from "../../gateway.js";
import { cutStream, gatewayTo, json, startPlatform, stream, text } from "./platform.js";

const usageChunk = hello[4] ?? "";

function ask(more: Record<string, unknown> = {}) {
  return { ...asking("CANARY hi", { stream: true, ...more }), model: "kimi-k2.6" };
}

const withUsage = { stream_options: { include_usage: true } };

async function gatewayAndPlatform(config = {}, options = {}) {
  const platform = await startPlatform();
  return { platform, gateway: await gatewayTo(platform, config, options) };
}

/** The body of the answer to the request, without our own keep-alive comments. */
async function bodyOf(answer: Promise<Response>): Promise<string> {
  return (await (await answer).text()).replaceAll(": keep-alive\n\n", "");
}

describe("a recorded stream passes through byte by byte", () => {
  test.each([
    ["D.3", hello],
    ["D.4", twoCalls],
  ])("%s, comments of the service taken out", async (_, recorded) => {
    const { platform, gateway } = await gatewayAndPlatform();
    platform.will(stream(": keep-alive\n\n", ...recorded.flatMap((line) => [line, ": ping\n\n"])));
    const withoutUsage = recorded.filter((line) => line !== usageChunk).join("");
    expect(await bodyOf(post(gateway, ask(withUsage)))).toBe(
      recorded === hello ? hello.join("") : recorded.join("").replace(done, `${toldOf(used)}${done}`),
    );
    expect(await bodyOf(post(gateway, ask()))).toBe(withoutUsage);
    expect(platform.calls.map(({ body }) => body.stream_options)).toEqual([
      { include_usage: true },
      { include_usage: true },
    ]);
  });

  test("cut into two at every byte", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const bytes = Buffer.from(hello.join(""));
    for (let at = 1; at < bytes.length; at++) {
      platform.will(stream(bytes.subarray(0, at), bytes.subarray(at)));
      const { body } = await request(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(ask(withUsage)),
      });
      expect(await body.text(), `cut at ${at}`).toBe(bytes.toString());
    }
  }, 120_000);

  test("byte after byte, with CR LF and without the last blank line", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const bytes = Buffer.from(hello.join("").replaceAll("\n", "\r\n").trimEnd());
    platform.will(stream(...Array.from(bytes, (byte) => Buffer.of(byte))));
    expect(await bodyOf(post(gateway, ask(withUsage)))).toBe(hello.join(""));
  });

  test("unknown fields, logprobs and a null usage survive", async () => {
    const { platform, gateway } = await gatewayAndPlatform({ preset: "generic" });
    const odd = [
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
    platform.will(stream(...odd));
    expect(await bodyOf(post(gateway, ask({ logprobs: true })))).toBe(odd.join(""));
    expect(platform.calls[0]?.body.logprobs).toBe(true);
  });

  test("a character at which some readers break lines is escaped, and data of two lines is one", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const [first = "", second = ""] = delta({ content: "a\u2028b" }).split(',"choices"');
    platform.will(stream(`${first},\ndata: "choices"${second}`, delta({}, "stop"), done));
    const body = await bodyOf(post(gateway, ask()));
    expect(body).not.toMatch(/\u2028/);
    expect(textOf(chunksOf(body))).toBe("a\u2028b");
  });
});

describe("a whole answer is the service's own", () => {
  test("byte by byte", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const body = `${JSON.stringify(whole, null, 2)}\n`;
    platform.will(text(200, body, { "content-type": "application/json" }));
    const answer = await post(gateway, ask({ stream: false, ...withUsage }));
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
    ["nothing of an answer", { hello: "world" }, 502, "upstream_protocol"],
    ["no finish reason", { ...whole, choices: [{ message: { content: "x" } }] }, 502, "upstream_protocol"],
    ["broken off", { ...whole, choices: [{ message: {}, finish_reason: "abort" }] }, 502, "upstream_cut"],
  ])("unless there is %s", async (_, body, status, code) => {
    const { platform, gateway } = await gatewayAndPlatform();
    platform.will(json(200, body));
    const answer = await post(gateway, ask({ stream: false }));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });
});

describe("an answer has an honest end or an error", () => {
  const begun = hello.slice(0, 3);
  const broken: [string, string[], string][] = [
    ["cut in the middle", begun, "upstream_cut"],
    ["cut inside a chunk", [...begun, (hello[3] ?? "").slice(0, 40)], "upstream_cut"],
    ["cut between its finish and [DONE]", hello.slice(0, 5), "upstream_cut"],
    [
      "an error in the stream",
      [...begun, 'data: {"error":{"message":"x","type":"server_error"}}\n\n'],
      "upstream_unavailable",
    ],
    [
      "vLLM's old form of one",
      [...begun, 'data: {"object":"error","message":"m","code":503}\n\n'],
      "upstream_overloaded",
    ],
    ["[DONE] without a finish reason", [...begun, done], "upstream_cut"],
    ["broken off by the engine", [...begun, delta({}, "abort"), done], "upstream_cut"],
    ["nonsense", [...begun, "data: {nonsense\n\n"], "upstream_protocol"],
  ];

  test.each(broken)("%s", async (_, parts, code) => {
    const { platform, gateway } = await gatewayAndPlatform();
    for (const script of [cutStream(...parts), stream(...parts)]) {
      platform.will(script);
      const body = await bodyOf(post(gateway, ask(withUsage)));
      const chunks = chunksOf(body);
      expect(textOf(chunks.slice(0, -1))).toBe("Hello, 月亮 🌙!");
      expect(chunks.at(-1)?.error).toMatchObject({ code });
      expect(body).not.toContain('"finish_reason":"');
    }
  });

  const bare: [string, ReturnType<typeof stream>, number, string][] = [
    ["cut before a word", cutStream(), 502, "upstream_cut"],
    ["cut after the first chunk, which says only who speaks", cutStream(hello[0] ?? ""), 502, "upstream_cut"],
    ["ended before a word", stream(), 502, "upstream_cut"],
    [
      "an error first",
      stream(hello[0] ?? "", 'data: {"error":{"type":"engine_overloaded_error"}}\n\n'),
      503,
      "upstream_overloaded",
    ],
    ["a page", text(200, "<html>", { "content-type": "text/html" }), 502, "upstream_protocol"],
    ["JSON, not a stream", json(200, whole), 502, "upstream_protocol"],
    ["one endless line", stream(`data: ${"x".repeat(17 * 1_048_576)}`), 502, "upstream_protocol"],
  ];

  test.each(bare)("with its status before a word: %s", async (_, script, status, code) => {
    const { platform, gateway } = await gatewayAndPlatform();
    platform.will(script);
    const answer = await post(gateway, ask());
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test("silence, and comments alone, are given up", async () => {
    const { platform, gateway } = await gatewayAndPlatform({}, { patience: { silence: 300, progress: 300 } });
    platform.will(
      (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).write(hello[0]),
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        while (!response.destroyed) {
          response.write(": still here\n\n");
          await setTimeout(20);
        }
      },
    );
    for (const _ of [1, 2]) expect((await post(gateway, ask())).status).toBe(504);
    await until(() => platform.calls.every(({ left }) => left));
  });

  test("out of reach", async () => {
    const { platform, gateway } = await gatewayAndPlatform({
      baseUrl: "http://127.0.0.1:9/v1",
      models: ["kimi-k2.6"],
    });
    expect(await (await post(gateway, ask())).json()).toMatchObject({
      error: {
        code: "upstream_unavailable",
        message: expect.stringMatching(/Moonshot platform cannot be reached/),
      },
    });
    expect(platform.calls).toEqual([]);
  });
});

describe("usage, wherever the service puts it", () => {
  const said = [delta({ role: "assistant", content: "" }), delta({ content: "Hi" })];
  const places: [string, string[], object][] = [
    ["on the finish choice", [...said, delta({}, "stop", { usage: used }), done], used],
    [
      "on the finish chunk",
      [...said, chunk([{ index: 0, delta: {}, finish_reason: "stop" }], { usage: used }), done],
      used,
    ],
    ["in a chunk of its own", [...said, delta({}, "stop"), chunk([], { usage: cachedToo }), done], cachedToo],
  ];

  test.each(places)("%s", async (_, recorded, counted) => {
    const { platform, gateway } = await gatewayAndPlatform();
    platform.will(stream(...recorded));
    const asked = chunksOf(await bodyOf(post(gateway, ask(withUsage))));
    expect(asked.at(-1)).toMatchObject({ id: "chatcmpl-1", choices: [], usage: counted });
    expect(asked.at(-1)?.usage).not.toHaveProperty("estimated");
    expect(asked.filter(({ choices }) => choices.length === 0).length).toBe(1);
    const unasked = chunksOf(await bodyOf(post(gateway, ask())));
    expect(unasked.every(({ choices }) => choices.length === 1)).toBe(true);
  });

  test("and an estimate, marked as one, where the service does not count", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    platform.will(stream(...said, delta({}, "stop"), done));
    expect(chunksOf(await bodyOf(post(gateway, ask(withUsage)))).at(-1)?.usage).toMatchObject({
      estimated: true,
    });
  });
});

describe("size and pace", () => {
  test("a chunk too long for some readers is split, and only that one", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const content = "月亮🌙".repeat(20_000);
    const args = JSON.stringify({ text: 'a"\n'.repeat(40_000) });
    const begin = { index: 0, id: "f:0", type: "function", function: { name: "f", arguments: args } };
    const end = chunk([{ index: 0, delta: { content: "z".repeat(70_000) }, finish_reason: "stop", x: 1 }], {
      usage: used,
    });
    platform.will(stream(hello[0] ?? "", delta({ content, tool_calls: [begin] }), end, done));
    const body = await bodyOf(post(gateway, ask()));
    const chunks = chunksOf(body);
    expect(body.startsWith(hello[0] ?? "")).toBe(true);
    expect(textOf(chunks)).toBe(content + "z".repeat(70_000));
    const calls = chunks.flatMap(({ choices }) => Object(choices[0]?.delta).tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, id: "f:0", type: "function", function: { name: "f" } });
    expect(calls.filter((each) => "id" in each).length).toBe(1);
    expect(calls.map((each) => each.function.arguments).join("")).toBe(args);
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason).length).toBe(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: "stop", x: 1 }], usage: used });
  });

  test("ten megabytes, streamed and whole", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    const piece = delta({ content: "月".repeat(10_000) });
    const parts = [hello[0] ?? "", ...Array.from({ length: 350 }, () => piece), delta({}, "stop"), done];
    platform.will(stream(...parts));
    expect((await bodyOf(post(gateway, ask()))) === parts.join("")).toBe(true);
    const big = JSON.stringify({ ...whole, filler: "x".repeat(10 * 1_048_576) });
    platform.will(text(200, big));
    expect((await bodyOf(post(gateway, ask({ stream: false })))) === big).toBe(true);
  });

  test("a client that reads nothing holds the service back", async () => {
    const { platform, gateway } = await gatewayAndPlatform();
    let held = false;
    let written = 0;
    platform.will(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const piece = delta({ content: "x".repeat(50_000) });
      while (written < 600) {
        written++;
        held = !response.write(piece);
        if (held) await once(response, "drain");
        else await setImmediate();
      }
      response.end(delta({}, "stop") + done);
    });
    const answer = await post(gateway, ask());
    for (let before = -1; before !== written || !held; ) {
      before = written;
      await setTimeout(300);
    }
    expect(written).toBeLessThan(600);
    expect(textOf(chunksOf(await answer.text())).length).toBe(600 * 50_000);
  });

  test.each([true, false])(
    "a client that leaves closes the service's connection (stream: %s)",
    async (streams) => {
      const { platform, gateway } = await gatewayAndPlatform();
      platform.will((response) => {
        if (streams)
          response.writeHead(200, { "content-type": "text/event-stream" }).write(hello.slice(0, 3).join(""));
      });
      const client = new AbortController();
      const answer = post(gateway, ask({ stream: streams }), { signal: client.signal });
      answer.catch(() => {});
      if (streams) await (await answer).body?.getReader().read();
      await until(() => platform.calls.length === 1);
      client.abort();
      await until(() => platform.calls[0]?.left === true);
    },
  );

  test("no more answers at once than the config says; the others wait", async () => {
    const { platform, gateway } = await gatewayAndPlatform({ concurrency: 1 });
    let running = 0;
    let most = 0;
    platform.will(async (response) => {
      most = Math.max(most, ++running);
      await setTimeout(20);
      response.writeHead(200, { "content-type": "text/event-stream" }).end(hello.join(""));
      running--;
    });
    const answers = await Promise.all([1, 2, 3].map(() => bodyOf(post(gateway, ask(withUsage)))));
    expect(answers).toEqual(Array.from({ length: 3 }, () => hello.join("")));
    expect(most).toBe(1);
  });

  test("one that waits for its turn and leaves is gone at once, and the service never hears of it", async () => {
    const { platform, gateway } = await gatewayAndPlatform({ concurrency: 1 });
    let finish = () => {};
    platform.will((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(hello.slice(0, 3).join(""));
      finish = () => response.end(hello.slice(3).join(""));
    });
    const first = bodyOf(post(gateway, ask(withUsage)));
    await until(() => platform.calls.length === 1);
    const client = new AbortController();
    post(gateway, ask(), { signal: client.signal }).catch(() => {});
    // It has got as far as the queue once the models, which are asked for before, have been answered.
    await setTimeout(100);
    client.abort();
    await until(() => gateway.log().some(({ failure }) => failure === "cancelled"));
    finish();
    expect(await first).toBe(hello.join(""));
    const third = bodyOf(post(gateway, ask(withUsage)));
    await until(() => platform.calls.length === 2);
    finish();
    expect(await third).toBe(hello.join(""));
  });
});

/** The usage chunk that Moonbridge writes where it was asked for and the service sends none. */
function toldOf({ prompt_tokens, completion_tokens, total_tokens }: typeof used): string {
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
