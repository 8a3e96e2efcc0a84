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

async function sendWithFault(
  fault: Fault,
  text = "hello",
): Promise<Reply & { frames: Frame[]; incompleteBytes: number }> {
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
    headers: { authorization: `Bearer ${token}`, "content-type": "application/connect+json" },
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

function statuses(frames: readonly Frame[]): unknown[] {
  return frames
    .filter(({ json }) => json.mask === "message.status")
    .map(({ json }) => toRecord(json.message).status);
}

function hasDoneEvent(frames: readonly Frame[]): boolean {
  return frames.some(({ json }) => "done" in json);
}

test("error: a heartbeat, then the error trailer with the paywall", async () => {
  const { frames } = await sendWithFault({
    kind: "error",
    code: "resource_exhausted",
    reason: "REASON_X",
    paywall: true,
  });
  expect(frames).toHaveLength(2);
  expect(trailerOf(frames)).toMatchObject({
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
  expect(answerText(plain.frames)).toBe("one two three ");
  expect(trailerOf(plain.frames)).toEqual({ error: { code: "unavailable" } });
  expect(hasDoneEvent(plain.frames)).toBe(false);
  const withDone = await sendWithFault({ kind: "error-late", code: "unavailable", afterDone: true });
  expect(hasDoneEvent(withDone.frames)).toBe(true);
  expect(trailerOf(withDone.frames)).toEqual({ error: { code: "unavailable" } });
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
  expect(trailerOf((await sendWithFault({ kind: "expired" })).frames)).toMatchObject({
    error: { code: "unauthenticated" },
  });
});

test("cut and cut-in-frame: the connection breaks between two frames, or inside one", async () => {
  const between = await sendWithFault({ kind: "cut", after: 1 });
  expect(between.broken).toBe(true);
  expect(between.incompleteBytes).toBe(0);
  expect(answerText(between.frames)).toBe("one ");
  const inside = await sendWithFault({ kind: "cut-in-frame" });
  expect(inside.broken).toBe(true);
  expect(inside.incompleteBytes).toBeGreaterThan(5);
  expect(answerText(inside.frames)).toBe("one two ");
});

test("cut-before: the connection breaks before the status", async () => {
  await expect(sendWithFault({ kind: "cut-before" })).rejects.toThrow();
});

test("no-trailer: the HTTP response ends properly without the trailer", async () => {
  const { broken, frames } = await sendWithFault({ kind: "no-trailer" });
  expect(broken).toBe(false);
  expect(answerText(frames)).toBe("one two ");
  expect(trailerOf(frames)).toBeUndefined();
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
  expect(answerText((await sendWithFault({ kind: "slow-start", milliseconds: 5 })).frames)).toBe(fullAnswer);
});

test("cut-bytes: the connection breaks after that many bytes", async () => {
  const { bytes, broken } = await sendWithFault({ kind: "cut-bytes", bytes: 500 });
  expect([bytes.length, broken]).toEqual([500, true]);
});

test("split and burst: the same answer in many writes, or in one", async () => {
  const split = await sendWithFault({ kind: "split" });
  expect(answerText(split.frames)).toBe(fullAnswer);
  const burst = await sendWithFault({ kind: "burst" });
  expect(answerText(burst.frames)).toBe(fullAnswer);
  expect(burst.chunkCount).toBe(1);
  expect(split.chunkCount).toBeGreaterThan(burst.chunkCount);
});

test("gzip: every frame is compressed, the trailer with flags 0x03", async () => {
  const { frames, headers } = await sendWithFault({ kind: "gzip" });
  expect(headers["connect-content-encoding"]).toBe("gzip");
  expect(frames.slice(0, -1).every(({ flags }) => flags === 1)).toBe(true);
  expect(frames.at(-1)).toMatchObject({ flags: 3, payload: "{}" });
  expect(answerText(frames)).toBe(fullAnswer);
});

test("unknown: frames of unknown types between valid ones, and the answer is complete", async () => {
  const { frames } = await sendWithFault(
    { kind: "unknown" },
    "sim:say=a long enough answer for all of the strangers to fit in",
  );
  const json = JSON.stringify(frames.map(({ json }) => json));
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
  expect(answerText(frames)).toBe("a long enough answer for all of the strangers to fit in");
  expect(trailerOf(frames)).toEqual({});
  const offsets = frames.filter(({ json }) => "op" in json).map(({ json }) => json.eventOffset);
  expect(offsets).toEqual(offsets.map((_, index) => index + 1));
});

test("exception and retract: the failure is a block, and the trailer has no error", async () => {
  const overloaded = await sendWithFault({
    kind: "exception",
    reason: "REASON_COMPLETION_OVERLOADED",
    status: "COMPLETED",
  });
  expect(statuses(overloaded.frames)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const { frames } = await sendWithFault({ kind: "retract", after: 1 });
  const block = toRecord(frames.find(({ json }) => json.mask === "block.exception")?.json.block);
  expect(block).toMatchObject({
    id: "2",
    exception: { error: { reason: "REASON_CONTENT_FILTER", severity: "SEVERITY_MESSAGE_RETRACT" } },
  });
  expect(statuses(frames)).toEqual(["MESSAGE_STATUS_ERROR"]);
  expect(trailerOf(frames)).toEqual({});
});

test("degrade: a notification, and the answer is complete", async () => {
  const { frames } = await sendWithFault({ kind: "degrade" });
  expect(frames.some(({ json }) => toRecord(json.notification).type === "TYPE_MODEL_DEGRADE")).toBe(true);
  expect(answerText(frames)).toBe(fullAnswer);
});

test.each([
  ["truncated", "TRUNCATED"],
  ["cancelled", "CANCELLED"],
  ["status-error", "ERROR"],
] as const)("%s: two deltas, then the message status %s", async (kind, status) => {
  const { frames } = await sendWithFault({ kind });
  expect(answerText(frames)).toBe("one two ");
  expect(statuses(frames)).toEqual([`MESSAGE_STATUS_${status}`]);
});

test("empty and think-only: completed without text", async () => {
  const empty = await sendWithFault({ kind: "empty" });
  expect(empty.frames.some(({ json }) => "block" in json)).toBe(false);
  expect(statuses(empty.frames)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const thinkOnly = await sendWithFault({ kind: "think-only" });
  expect(answerText(thinkOnly.frames)).toBe("");
  expect(answerText(thinkOnly.frames, "think")).not.toBe("");
});

test("garbage: one frame that is not JSON, and the answer is complete", async () => {
  const { frames } = await sendWithFault({ kind: "garbage" });
  expect(frames.some(({ payload }) => payload === "this is not {JSON")).toBe(true);
  expect(answerText(frames)).toBe(fullAnswer);
});

test("wrong-chat and wrong-parent: the opening events name other ids than the answer belongs to", async () => {
  const messageOf = (frames: Awaited<ReturnType<typeof sendWithFault>>["frames"], role: string) =>
    frames.map(({ json }) => toRecord(json.message)).find((message) => message.role === role);
  const parent = await sendWithFault({ kind: "wrong-parent" });
  expect(messageOf(parent.frames, "user")?.parentId).toBe(messageOf(parent.frames, "assistant")?.id);
  const chat = await sendWithFault({ kind: "wrong-chat" });
  const chatIds = chat.frames.flatMap(({ json }) => (json.chat ? [toRecord(json.chat).id] : []));
  expect(chatIds[0]).toBe(messageOf(chat.frames, "assistant")?.id);
});

test("rewrite, snapshot, old-ids and no-mask: other encodings of the answer", async () => {
  expect(answerText((await sendWithFault({ kind: "rewrite" })).frames)).toBe("(Rewritten.)three four ");
  const snapshot = await sendWithFault({ kind: "snapshot" });
  expect(answerText(snapshot.frames)).toBe(fullAnswer);
  expect(snapshot.frames.some(({ json }) => json.op === "append")).toBe(false);
  const oldIds = await sendWithFault({ kind: "old-ids" });
  expect(oldIds.frames.some(({ json }) => toRecord(json.block).id === "0_0")).toBe(true);
  const noMask = await sendWithFault({ kind: "no-mask" });
  expect(answerText(noMask.frames)).toBe(fullAnswer);
  expect(noMask.frames.some(({ json }) => json.op === "set" && "block" in json && "mask" in json)).toBe(
    false,
  );
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
  expect(answerText(parseFrames(bytes).frames)).toBe("one ");
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
  const { frames } = await sendWithFault({ kind: "truncated" });
  const { chat, assistant } = turnIds(frames);
  const turn = chatRequest("sim:recall", { top: { chat_id: chat }, message: { parent_id: assistant } });
  expect(answerText(await sendChat(simulator, token, turn))).toBe("hello");
});
