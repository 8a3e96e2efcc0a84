import { describe, expect, test } from "vitest";
import type { Step } from "../../../simulator/index.js";
import { limits } from "../../../src/core/limits.js";
import {
  chatBody,
  contentOf,
  type Gateway,
  parseChunks,
  postChat,
  startGateway,
  waitUntil,
} from "../../gateway.js";

const words = Array.from({ length: 600 }, (_, at) => (at % 3 === 0 ? `字${at}` : `word-${at} `));
const text = (from: number, to: number): Step => ({ do: "text", content: words.slice(from, to) });
const truncated: Step = { do: "truncated" };
const rawEvent = (name: string): Step => ({ do: "raw", frame: { event: name } });
/** Long enough to expose a request that does not wait. */
const pause: Step = { do: "wait", milliseconds: 200 };

async function start(steps: Step[]): Promise<Gateway> {
  return startGateway({ kind: "kimi-legacy", simulator: { script: () => steps } });
}

async function readAnswer(gateway: Gateway) {
  const response = await postChat(gateway, chatBody("Go on for long", { stream: true }));
  const chunks = parseChunks(await response.text());
  const answer = chunks.filter(({ error }) => !error);
  const reason = answer.at(-1)?.choices[0]?.finish_reason;
  return { text: contentOf(answer), reason, error: chunks.at(-1)?.error?.code };
}

function completionBodies({ simulator }: Gateway) {
  return simulator.calls.filter(({ path }) => path.endsWith("/completion/stream")).map(({ body }) => body);
}

describe("an answer that Kimi cuts to length is continued", () => {
  test("joins 600 deltas of three streams seamlessly", async () => {
    const gateway = await start([text(0, 200), truncated, text(200, 400), truncated, text(400, 600)]);
    const answer = await readAnswer(gateway);
    expect(answer).toEqual({ text: words.join(""), reason: "stop", error: undefined });
    const [, ...continued] = completionBodies(gateway);
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

  test("continues it when bytes arrive one by one", async () => {
    const gateway = await start([text(0, 5), truncated, text(5, 10)]);
    gateway.simulator.fault({ kind: "split" }, 2);
    expect((await readAnswer(gateway)).text).toBe(words.slice(0, 10).join(""));
  });

  test("requests the continuation only after Kimi has closed the stream before", async () => {
    const gateway = await start([
      text(0, 5),
      rawEvent("length"),
      rawEvent("all_done"),
      pause,
      truncated,
      text(5, 10),
    ]);
    const answer = await readAnswer(gateway);
    expect(answer).toEqual({ text: words.slice(0, 10).join(""), reason: "stop", error: undefined });
  });

  test("continues the chat after the whole answer in the next turn", async () => {
    const gateway = await start([text(0, 5), truncated, text(5, 10)]);
    const first = await readAnswer(gateway);
    const messages = [
      ...chatBody("Go on for long").messages,
      { role: "assistant", content: first.text },
      { role: "user", content: "more" },
    ];
    await postChat(gateway, { model: "kimi", messages });
    expect(completionBodies(gateway)[2]).toMatchObject({ messages: [{ content: "more" }] });
  });
});

describe("an answer ends as cut to length", () => {
  test("after the maximum number of continuations", async () => {
    const parts = Array.from({ length: 20 }, (_, at) => [text(at, at + 1), truncated]).flat();
    const gateway = await start(parts);
    const answer = await readAnswer(gateway);
    expect(answer.reason).toBe("length");
    expect(answer.text).toBe(words.slice(0, limits.continuations + 1).join(""));
    expect(completionBodies(gateway).length).toBe(limits.continuations + 1);
  });

  test("if Kimi refuses the continuation", async () => {
    const gateway = await start([text(0, 5), truncated]);
    const answer = await readAnswer(gateway);
    expect([answer.reason, answer.text]).toEqual(["length", words.slice(0, 5).join("")]);
    expect(gateway.logEntries().some(({ msg }) => /did not go on/.test(String(msg)))).toBe(true);
  });
});

test("reports a continuation that breaks off as an error", async () => {
  const gateway = await start([text(0, 5), truncated, text(5, 9), { do: "cut" }]);
  const answer = await readAnswer(gateway);
  expect(answer).toEqual({ text: words.slice(0, 9).join(""), reason: null, error: "upstream_cut" });
});

test("stops at a client's disconnect in a continuation and requests no other", async () => {
  const gateway = await start([text(0, 2), truncated, text(2, 4), { do: "stall" }]);
  const client = new AbortController();
  const response = await postChat(gateway, chatBody("Go on", { stream: true }), { signal: client.signal });
  let seen = "";
  for await (const bytes of response.body ?? []) {
    seen += Buffer.from(bytes).toString();
    if (seen.includes("字3")) break;
  }
  client.abort();
  await waitUntil(() => gateway.simulator.counts().openStreams === 0);
  expect(gateway.simulator.calls.at(-1)).toMatchObject({
    closedByClient: true,
    body: { action: "continue" },
  });
  expect(completionBodies(gateway).length).toBe(2);
});

test("completes an answer after all_done even if Kimi never closes the stream", async () => {
  const gateway = await start([text(0, 2), rawEvent("done"), rawEvent("all_done"), { do: "stall" }]);
  const answer = await readAnswer(gateway);
  expect([answer.reason, answer.text]).toEqual(["stop", words.slice(0, 2).join("")]);
  await waitUntil(() => gateway.simulator.counts().openStreams === 0);
});

test("sends the next request only after Kimi has closed this stream", async () => {
  const gateway = await start([
    text(0, 2),
    rawEvent("done"),
    rawEvent("all_done"),
    pause,
    { do: "no-trailer" },
  ]);
  for (let turn = 0; turn < 3; turn++) {
    const answer = await readAnswer(gateway);
    expect(answer).toEqual({ text: words.slice(0, 2).join(""), reason: "stop", error: undefined });
  }
});
