import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fault, type Simulator, startSimulator } from "../../simulator/index.js";
import {
  answerText,
  chatRequest,
  encodeFrame,
  type Frame,
  parseFrames,
  postChat,
  type Reply,
  sendChat,
  toRecord,
  trailerOf,
  turnIds,
} from "./client.js";

const deltas = ["one ", "two ", "three ", "four "];
const fullAnswer = deltas.join("");

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator({
    script: ({ text }) => (text.includes("sim:") ? undefined : [{ do: "text", content: deltas }]),
  });
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

async function sendWithFault(fault: Fault, text = "hello"): Promise<Reply & { all: Frame[]; left: number }> {
  simulator.fault(fault);
  const reply = await postChat(simulator, encodeFrame(JSON.stringify(chatRequest(text))), token);
  return { ...reply, ...parseFrames(reply.bytes) };
}

/** Reads until the received bytes (latin1) meet the condition, then disconnects; for answers that never end. */
async function readUntil(fault: Fault, isEnough: (received: string) => boolean): Promise<string> {
  simulator.fault(fault);
  const stop = new AbortController();
  const response = await fetch(`${simulator.url}/apiv2/kimi.gateway.chat.v1.ChatService/Chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: encodeFrame(JSON.stringify(chatRequest("hello"))),
    signal: stop.signal,
  });
  let received = "";
  const reader = response.body?.getReader();
  while (reader && !isEnough(received)) {
    const { value, done } = await reader.read();
    if (done) break;
    received += Buffer.from(value).toString("latin1");
  }
  stop.abort();
  return received;
}

function statuses(all: readonly Frame[]): unknown[] {
  return all
    .filter(({ json }) => json.mask === "message.status")
    .map(({ json }) => toRecord(json.message).status);
}

function hasDoneEvent(all: readonly Frame[]): boolean {
  return all.some(({ json }) => "done" in json);
}

test("error: a heartbeat, then the error trailer with the paywall", async () => {
  const { all } = await sendWithFault({
    kind: "error",
    code: "resource_exhausted",
    reason: "REASON_X",
    paywall: true,
  });
  expect(all).toHaveLength(2);
  expect(trailerOf(all)).toMatchObject({
    error: {
      code: "resource_exhausted",
      details: [
        { debug: { reason: "REASON_X", paywall: { needUpgrade: true, upgradeTo: "LEVEL_ADVANCED" } } },
      ],
    },
  });
});

test("error-late: the error trailer after N deltas, with or without done before it", async () => {
  const plain = await sendWithFault({ kind: "error-late", code: "unavailable", after: 3 });
  expect(answerText(plain.all)).toBe("one two three ");
  expect(trailerOf(plain.all)).toEqual({ error: { code: "unavailable" } });
  expect(hasDoneEvent(plain.all)).toBe(false);
  const withDone = await sendWithFault({ kind: "error-late", code: "unavailable", afterDone: true });
  expect(hasDoneEvent(withDone.all)).toBe(true);
  expect(trailerOf(withDone.all)).toEqual({ error: { code: "unavailable" } });
});

test("http: an HTTP error status with Retry-After", async () => {
  const { status, headers, bytes } = await sendWithFault({ kind: "http", status: 429, retryAfter: 7 });
  expect(status).toBe(429);
  expect(headers["retry-after"]).toBe("7");
  expect(JSON.parse(bytes.toString())).toMatchObject({ code: "resource_exhausted" });
  expect((await sendWithFault({ kind: "http", status: 502, body: "bad gateway" })).bytes.toString()).toBe(
    "bad gateway",
  );
});

test("html: a web page with status 200", async () => {
  const { status, headers } = await sendWithFault({ kind: "html" });
  expect(status).toBe(200);
  expect(String(headers["content-type"])).toContain("text/html");
});

test("expired: unauthenticated with any token", async () => {
  expect(trailerOf((await sendWithFault({ kind: "expired" })).all)).toMatchObject({
    error: { code: "unauthenticated" },
  });
});

test("cut and cut-in-frame: the connection breaks between two frames, or inside one", async () => {
  const between = await sendWithFault({ kind: "cut", after: 1 });
  expect(between.broken).toBe(true);
  expect(between.left).toBe(0);
  expect(answerText(between.all)).toBe("one ");
  const inside = await sendWithFault({ kind: "cut-in-frame" });
  expect(inside.broken).toBe(true);
  expect(inside.left).toBeGreaterThan(5);
  expect(answerText(inside.all)).toBe("one two ");
});

test("cut-before: the connection breaks before the status", async () => {
  await expect(sendWithFault({ kind: "cut-before" })).rejects.toThrow();
});

test("no-trailer: the HTTP response ends properly without the trailer", async () => {
  const { broken, all } = await sendWithFault({ kind: "no-trailer" });
  expect(broken).toBe(false);
  expect(answerText(all)).toBe("one two ");
  expect(trailerOf(all)).toBeUndefined();
});

test("stall and stall-heartbeat: silence, or heartbeats only, until the client disconnects", async () => {
  expect(await readUntil({ kind: "stall" }, (received) => received.includes("two "))).not.toContain("three ");
  const hasManyHeartbeats = (received: string) => (received.match(/heartbeat/g) ?? []).length > 5;
  expect(await readUntil({ kind: "stall-heartbeat", everyMilliseconds: 2 }, hasManyHeartbeats)).not.toContain(
    "three ",
  );
  await expect.poll(() => simulator.counts().openStreams).toBe(0);
  expect(simulator.calls.at(-1)).toMatchObject({ closedByClient: true, closedAt: expect.any(Number) });
});

test("huge: a header that announces two gigabytes", async () => {
  const received = await readUntil({ kind: "huge" }, (received) => received.includes("\x7f\xff\xff\xff"));
  expect(received).toContain("\x00\x7f\xff\xff\xff");
});

test("slow-start: the whole answer after a delay", async () => {
  expect(answerText((await sendWithFault({ kind: "slow-start", milliseconds: 5 })).all)).toBe(fullAnswer);
});

test("split and burst: the same answer in many writes, or in one", async () => {
  const split = await sendWithFault({ kind: "split" });
  expect(answerText(split.all)).toBe(fullAnswer);
  const burst = await sendWithFault({ kind: "burst" });
  expect(answerText(burst.all)).toBe(fullAnswer);
  expect(burst.chunks).toBe(1);
  expect(split.chunks).toBeGreaterThan(burst.chunks);
});

test("gzip: every frame is compressed, the trailer with flags 0x03", async () => {
  const { all, headers } = await sendWithFault({ kind: "gzip" });
  expect(headers["connect-content-encoding"]).toBe("gzip");
  expect(all.slice(0, -1).every(({ flags }) => flags === 1)).toBe(true);
  expect(all.at(-1)).toMatchObject({ flags: 3, payload: "{}" });
  expect(answerText(all)).toBe(fullAnswer);
});

test("unknown: frames of unknown types between valid ones, and the answer is complete", async () => {
  const { all } = await sendWithFault(
    { kind: "unknown" },
    "sim:say=a long enough answer for all of the strangers to fit in",
  );
  const json = JSON.stringify(all.map(({ json }) => json));
  for (const unknownName of [
    "shuffle",
    "message.aura",
    "constellation",
    "hologram",
    "DAYDREAMING",
    "PONDERING",
    "CONFETTI",
  ])
    expect(json).toContain(unknownName);
  expect(answerText(all)).toBe("a long enough answer for all of the strangers to fit in");
  expect(trailerOf(all)).toEqual({});
  const offsets = all.filter(({ json }) => "op" in json).map(({ json }) => json.eventOffset);
  expect(offsets).toEqual(offsets.map((_, index) => index + 1));
});

test("exception and retract: the failure is a block, and the trailer has no error", async () => {
  const busy = await sendWithFault({
    kind: "exception",
    reason: "REASON_COMPLETION_OVERLOADED",
    status: "COMPLETED",
  });
  expect(statuses(busy.all)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const { all } = await sendWithFault({ kind: "retract", after: 1 });
  const block = toRecord(all.find(({ json }) => json.mask === "block.exception")?.json.block);
  expect(block).toMatchObject({
    id: "2",
    exception: { error: { reason: "REASON_CONTENT_FILTER", severity: "SEVERITY_MESSAGE_RETRACT" } },
  });
  expect(statuses(all)).toEqual(["MESSAGE_STATUS_ERROR"]);
  expect(trailerOf(all)).toEqual({});
});

test("degrade: a notification, and the answer is complete", async () => {
  const { all } = await sendWithFault({ kind: "degrade" });
  expect(all.some(({ json }) => toRecord(json.notification).type === "TYPE_MODEL_DEGRADE")).toBe(true);
  expect(answerText(all)).toBe(fullAnswer);
});

test.each([
  ["truncated", "TRUNCATED"],
  ["cancelled", "CANCELLED"],
  ["status-error", "ERROR"],
] as const)("%s: two deltas, then the message status %s", async (kind, status) => {
  const { all } = await sendWithFault({ kind });
  expect(answerText(all)).toBe("one two ");
  expect(statuses(all)).toEqual([`MESSAGE_STATUS_${status}`]);
});

test("empty and think-only: completed without text", async () => {
  const empty = await sendWithFault({ kind: "empty" });
  expect(empty.all.some(({ json }) => "block" in json)).toBe(false);
  expect(statuses(empty.all)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const thinkOnly = await sendWithFault({ kind: "think-only" });
  expect(answerText(thinkOnly.all)).toBe("");
  expect(answerText(thinkOnly.all, "think")).not.toBe("");
});

test("garbage: one frame that is not JSON, and the answer is complete", async () => {
  const { all } = await sendWithFault({ kind: "garbage" });
  expect(all.some(({ payload }) => payload === "this is not {JSON")).toBe(true);
  expect(answerText(all)).toBe(fullAnswer);
});

test("rewrite, snapshot, old-ids and no-mask: other encodings of the answer", async () => {
  expect(answerText((await sendWithFault({ kind: "rewrite" })).all)).toBe("(Rewritten.)three four ");
  const snapshot = await sendWithFault({ kind: "snapshot" });
  expect(answerText(snapshot.all)).toBe(fullAnswer);
  expect(snapshot.all.some(({ json }) => json.op === "append")).toBe(false);
  const oldIds = await sendWithFault({ kind: "old-ids" });
  expect(oldIds.all.some(({ json }) => toRecord(json.block).id === "0_0")).toBe(true);
  const noMask = await sendWithFault({ kind: "no-mask" });
  expect(answerText(noMask.all)).toBe(fullAnswer);
  expect(noMask.all.some(({ json }) => json.op === "set" && "block" in json && "mask" in json)).toBe(false);
});

test("a prompt selects faults by the same names, in its last line only", async () => {
  const frames = await sendChat(
    simulator,
    token,
    chatRequest("Please\nsim:fault=error-late,1,unavailable,REASON_Y"),
  );
  expect(trailerOf(frames)).toMatchObject({
    error: { code: "unavailable", details: [{ debug: { reason: "REASON_Y" } }] },
  });
  const cut = await postChat(simulator, encodeFrame(JSON.stringify(chatRequest("sim:fault=cut"))), token);
  expect(cut.broken).toBe(true);
  const earlierDirective = chatRequest("sim:fault=cut\nsim:say=All is well.");
  expect(answerText(await sendChat(simulator, token, earlierDirective))).toBe("All is well.");
});

test("a fault after more deltas than the script has applies before the script's ending", async () => {
  const shortAnswer = await startSimulator({
    script: () => [{ do: "text", content: ["one "] }, { do: "truncated" }],
  });
  shortAnswer.fault({ kind: "cut", after: 9 });
  const body = encodeFrame(JSON.stringify(chatRequest("hello")));
  const { broken, bytes } = await postChat(shortAnswer, body, shortAnswer.issue().accessToken);
  expect(broken).toBe(true);
  expect(answerText(parseFrames(bytes).all)).toBe("one ");
  await shortAnswer.close();
});

test("a fault applies to the given number of calls", async () => {
  simulator.fault({ kind: "empty" }, 2);
  const texts: string[] = [];
  for (let turn = 0; turn < 3; turn++)
    texts.push(answerText(await sendChat(simulator, token, chatRequest("hello"))));
  expect(texts).toEqual(["", "", fullAnswer]);
});

test("the messages of a failed answer stay in the chat", async () => {
  const { all } = await sendWithFault({ kind: "truncated" });
  const { chat, assistant } = turnIds(all);
  const turn = chatRequest("sim:recall", { top: { chat_id: chat }, message: { parent_id: assistant } });
  expect(answerText(await sendChat(simulator, token, turn))).toBe("hello");
});
