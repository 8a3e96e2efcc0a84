import { describe, expect, test } from "vitest";
import type { Step } from "../../../simulator/index.js";
import { limits } from "../../../src/core/limits.js";
import { asking, chunksOf, type Gateway, post, startGateway, textOf, until } from "../../gateway.js";

const words = Array.from({ length: 600 }, (_, at) => (at % 3 === 0 ? `字${at}` : `word-${at} `));
const text = (from: number, to: number): Step => ({ do: "text", content: words.slice(from, to) });
const cut: Step = { do: "truncated" };
const event = (name: string): Step => ({ do: "raw", frame: { event: name } });
/** Long enough for whatever does not wait to come too early. */
const pause: Step = { do: "wait", milliseconds: 200 };

async function start(steps: Step[]): Promise<Gateway> {
  return startGateway({ kind: "kimi-legacy", simulator: { script: () => steps } });
}

async function finished(gateway: Gateway) {
  const response = await post(gateway, asking("Go on for long", { stream: true }));
  const chunks = chunksOf(await response.text());
  const answer = chunks.filter(({ error }) => !error);
  const reason = answer.at(-1)?.choices[0]?.finish_reason;
  return { text: textOf(answer), reason, error: chunks.at(-1)?.error?.code };
}

function bodies({ simulator }: Gateway) {
  return simulator.calls.filter(({ path }) => path.endsWith("/completion/stream")).map(({ body }) => body);
}

describe("an answer that Kimi cuts to length is continued", () => {
  test("600 deltas in three streams join without a seam", async () => {
    const gateway = await start([text(0, 200), cut, text(200, 400), cut, text(400, 600)]);
    const answer = await finished(gateway);
    expect(answer).toEqual({ text: words.join(""), reason: "stop", error: undefined });
    const [, ...continued] = bodies(gateway);
    expect(continued).toEqual(
      Array(2).fill({
        segment_id: expect.stringMatching(/^[0-9a-v]{20}$/),
        action: "continue",
        messages: [{ role: "user", content: " " }],
        kimiplus_id: "kimi",
        extend: { sidebar: true },
      }),
    );
    expect(gateway.drift.entries()).toEqual([]);
  });

  test("byte by byte", async () => {
    const gateway = await start([text(0, 5), cut, text(5, 10)]);
    gateway.simulator.fault({ kind: "split" }, 2);
    expect((await finished(gateway)).text).toBe(words.slice(0, 10).join(""));
  });

  test("only once Kimi has closed the stream before: it takes no other until then", async () => {
    const gateway = await start([text(0, 5), event("length"), event("all_done"), pause, cut, text(5, 10)]);
    const answer = await finished(gateway);
    expect(answer).toEqual({ text: words.slice(0, 10).join(""), reason: "stop", error: undefined });
  });

  test("the next turn goes on after the whole of it", async () => {
    const gateway = await start([text(0, 5), cut, text(5, 10)]);
    const first = await finished(gateway);
    const messages = [
      ...asking("Go on for long").messages,
      { role: "assistant", content: first.text },
      { role: "user", content: "more" },
    ];
    await post(gateway, { model: "kimi", messages });
    expect(bodies(gateway)[2]).toMatchObject({ messages: [{ content: "more" }] });
  });
});

describe("it ends as cut to length", () => {
  test("after so many continuations", async () => {
    const parts = Array.from({ length: 20 }, (_, at) => [text(at, at + 1), cut]).flat();
    const gateway = await start(parts);
    const answer = await finished(gateway);
    expect(answer.reason).toBe("length");
    expect(answer.text).toBe(words.slice(0, limits.continuations + 1).join(""));
    expect(bodies(gateway).length).toBe(limits.continuations + 1);
  });

  test("where Kimi does not take the continuation", async () => {
    const gateway = await start([text(0, 5), cut]);
    const answer = await finished(gateway);
    expect([answer.reason, answer.text]).toEqual(["length", words.slice(0, 5).join("")]);
    expect(gateway.log().some(({ msg }) => /did not go on/.test(String(msg)))).toBe(true);
  });
});

test("a continuation that breaks off is an error, never the end", async () => {
  const gateway = await start([text(0, 5), cut, text(5, 9), { do: "cut" }]);
  const answer = await finished(gateway);
  expect(answer).toEqual({ text: words.slice(0, 9).join(""), reason: null, error: "upstream_cut" });
});

test("a client that leaves in a continuation stops it, and no other begins", async () => {
  const gateway = await start([text(0, 2), cut, text(2, 4), { do: "stall" }]);
  const client = new AbortController();
  const response = await post(gateway, asking("Go on", { stream: true }), { signal: client.signal });
  let seen = "";
  for await (const bytes of response.body ?? []) {
    seen += Buffer.from(bytes).toString();
    if (seen.includes("字3")) break;
  }
  client.abort();
  await until(() => gateway.simulator.counts().openStreams === 0);
  expect(gateway.simulator.calls.at(-1)).toMatchObject({
    closedByClient: true,
    body: { action: "continue" },
  });
  expect(bodies(gateway).length).toBe(2);
});

test("an answer that was said to be complete is, even where Kimi never closes the stream", async () => {
  const gateway = await start([text(0, 2), event("done"), event("all_done"), { do: "stall" }]);
  const answer = await finished(gateway);
  expect([answer.reason, answer.text]).toEqual(["stop", words.slice(0, 2).join("")]);
  await until(() => gateway.simulator.counts().openStreams === 0);
});

test("the next request comes when Kimi has closed this stream, not a moment before", async () => {
  const gateway = await start([text(0, 2), event("done"), event("all_done"), pause, { do: "no-trailer" }]);
  for (let turn = 0; turn < 3; turn++) {
    const answer = await finished(gateway);
    expect(answer).toEqual({ text: words.slice(0, 2).join(""), reason: "stop", error: undefined });
  }
});
