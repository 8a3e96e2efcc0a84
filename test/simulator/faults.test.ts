import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fault, type Simulator, startSimulator } from "../../simulator/index.js";
import {
  ask,
  type Frame,
  frames,
  idsOf,
  post,
  question,
  type Reply,
  record,
  textOf,
  trailer,
  wrap,
} from "./client.js";

const said = ["one ", "two ", "three ", "four "];
const whole = said.join("");

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator({
    script: ({ text }) => (text.includes("sim:") ? undefined : [{ do: "text", content: said }]),
  });
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

async function suffer(fault: Fault, text = "hello"): Promise<Reply & { all: Frame[]; left: number }> {
  simulator.fault(fault);
  const reply = await post(simulator, wrap(JSON.stringify(question(text))), token);
  return { ...reply, ...frames(reply.bytes) };
}

/** Reads until something is seen, then leaves; for answers that never end. */
async function glimpse(fault: Fault, until: (seen: string) => boolean): Promise<string> {
  simulator.fault(fault);
  const stop = new AbortController();
  const response = await fetch(`${simulator.url}/apiv2/kimi.gateway.chat.v1.ChatService/Chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: wrap(JSON.stringify(question("hello"))),
    signal: stop.signal,
  });
  let seen = "";
  const reader = response.body?.getReader();
  while (reader && !until(seen)) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += Buffer.from(value).toString("latin1");
  }
  stop.abort();
  return seen;
}

function statuses(all: readonly Frame[]): unknown[] {
  return all
    .filter(({ json }) => json.mask === "message.status")
    .map(({ json }) => record(json.message).status);
}

function hasDone(all: readonly Frame[]): boolean {
  return all.some(({ json }) => "done" in json);
}

test("error: a heartbeat, then the trailer with its paywall", async () => {
  const { all } = await suffer({
    kind: "error",
    code: "resource_exhausted",
    reason: "REASON_X",
    paywall: true,
  });
  expect(all).toHaveLength(2);
  expect(trailer(all)).toMatchObject({
    error: {
      code: "resource_exhausted",
      details: [
        { debug: { reason: "REASON_X", paywall: { needUpgrade: true, upgradeTo: "LEVEL_ADVANCED" } } },
      ],
    },
  });
});

test("error-late: after some deltas, with or without done", async () => {
  const plain = await suffer({ kind: "error-late", code: "unavailable", after: 3 });
  expect(textOf(plain.all)).toBe("one two three ");
  expect(trailer(plain.all)).toEqual({ error: { code: "unavailable" } });
  expect(hasDone(plain.all)).toBe(false);
  const after = await suffer({ kind: "error-late", code: "unavailable", afterDone: true });
  expect(hasDone(after.all)).toBe(true);
  expect(trailer(after.all)).toEqual({ error: { code: "unavailable" } });
});

test("http: a real status with Retry-After", async () => {
  const { status, headers, bytes } = await suffer({ kind: "http", status: 429, retryAfter: 7 });
  expect(status).toBe(429);
  expect(headers["retry-after"]).toBe("7");
  expect(JSON.parse(bytes.toString())).toMatchObject({ code: "resource_exhausted" });
  expect((await suffer({ kind: "http", status: 502, body: "bad gateway" })).bytes.toString()).toBe(
    "bad gateway",
  );
});

test("html: an interstitial with status 200", async () => {
  const { status, headers } = await suffer({ kind: "html" });
  expect(status).toBe(200);
  expect(String(headers["content-type"])).toContain("text/html");
});

test("expired: unauthenticated, whatever the token", async () => {
  expect(trailer((await suffer({ kind: "expired" })).all)).toMatchObject({
    error: { code: "unauthenticated" },
  });
});

test("cut and cut-in-frame: the socket dies between two frames, or inside one", async () => {
  const between = await suffer({ kind: "cut", after: 1 });
  expect(between.broken).toBe(true);
  expect(between.left).toBe(0);
  expect(textOf(between.all)).toBe("one ");
  const inside = await suffer({ kind: "cut-in-frame" });
  expect(inside.broken).toBe(true);
  expect(inside.left).toBeGreaterThan(5);
  expect(textOf(inside.all)).toBe("one two ");
});

test("cut-before: not even a status", async () => {
  await expect(suffer({ kind: "cut-before" })).rejects.toThrow();
});

test("no-trailer: the answer ends properly and yet too early", async () => {
  const { broken, all } = await suffer({ kind: "no-trailer" });
  expect(broken).toBe(false);
  expect(textOf(all)).toBe("one two ");
  expect(trailer(all)).toBeUndefined();
});

test("stall and stall-heartbeat: open, silent or only alive, until the client leaves", async () => {
  expect(await glimpse({ kind: "stall" }, (seen) => seen.includes("two "))).not.toContain("three ");
  const beating = (seen: string) => (seen.match(/heartbeat/g) ?? []).length > 5;
  expect(await glimpse({ kind: "stall-heartbeat", everyMilliseconds: 2 }, beating)).not.toContain("three ");
  await expect.poll(() => simulator.counts().openStreams).toBe(0);
  expect(simulator.calls.at(-1)).toMatchObject({ closedByClient: true, closedAt: expect.any(Number) });
});

test("huge: a header that promises two gigabytes", async () => {
  const seen = await glimpse({ kind: "huge" }, (sofar) => sofar.includes("\x7f\xff\xff\xff"));
  expect(seen).toContain("\x00\x7f\xff\xff\xff");
});

test("slow-start: nothing for a while, then all", async () => {
  expect(textOf((await suffer({ kind: "slow-start", milliseconds: 5 })).all)).toBe(whole);
});

test("split and burst: the same bytes in many pieces, or in one", async () => {
  const split = await suffer({ kind: "split" });
  expect(textOf(split.all)).toBe(whole);
  const burst = await suffer({ kind: "burst" });
  expect(textOf(burst.all)).toBe(whole);
  expect(burst.chunks).toBe(1);
  expect(split.chunks).toBeGreaterThan(burst.chunks);
});

test("gzip: every frame is packed, the last with 0x03", async () => {
  const { all, headers } = await suffer({ kind: "gzip" });
  expect(headers["connect-content-encoding"]).toBe("gzip");
  expect(all.slice(0, -1).every(({ flags }) => flags === 1)).toBe(true);
  expect(all.at(-1)).toMatchObject({ flags: 3, payload: "{}" });
  expect(textOf(all)).toBe(whole);
});

test("unknown: strangers between good frames, and the answer is whole", async () => {
  const { all } = await suffer(
    { kind: "unknown" },
    "sim:say=a long enough answer for all of the strangers to fit in",
  );
  const told = JSON.stringify(all.map(({ json }) => json));
  for (const stranger of [
    "shuffle",
    "message.aura",
    "constellation",
    "hologram",
    "DAYDREAMING",
    "PONDERING",
    "CONFETTI",
  ])
    expect(told).toContain(stranger);
  expect(textOf(all)).toBe("a long enough answer for all of the strangers to fit in");
  expect(trailer(all)).toEqual({});
  const offsets = all.filter(({ json }) => "op" in json).map(({ json }) => json.eventOffset);
  expect(offsets).toEqual(offsets.map((_, index) => index + 1));
});

test("exception and retract: the failure is a block, the trailer is clean", async () => {
  const busy = await suffer({
    kind: "exception",
    reason: "REASON_COMPLETION_OVERLOADED",
    status: "COMPLETED",
  });
  expect(statuses(busy.all)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const { all } = await suffer({ kind: "retract", after: 1 });
  const block = record(all.find(({ json }) => json.mask === "block.exception")?.json.block);
  expect(block).toMatchObject({
    id: "2",
    exception: { error: { reason: "REASON_CONTENT_FILTER", severity: "SEVERITY_MESSAGE_RETRACT" } },
  });
  expect(statuses(all)).toEqual(["MESSAGE_STATUS_ERROR"]);
  expect(trailer(all)).toEqual({});
});

test("degrade: a banner, and the answer goes on", async () => {
  const { all } = await suffer({ kind: "degrade" });
  expect(all.some(({ json }) => record(json.notification).type === "TYPE_MODEL_DEGRADE")).toBe(true);
  expect(textOf(all)).toBe(whole);
});

test.each([
  ["truncated", "TRUNCATED"],
  ["cancelled", "CANCELLED"],
  ["status-error", "ERROR"],
] as const)("%s: two deltas and that status", async (kind, status) => {
  const { all } = await suffer({ kind });
  expect(textOf(all)).toBe("one two ");
  expect(statuses(all)).toEqual([`MESSAGE_STATUS_${status}`]);
});

test("empty and think-only: completed without an answer", async () => {
  const empty = await suffer({ kind: "empty" });
  expect(empty.all.some(({ json }) => "block" in json)).toBe(false);
  expect(statuses(empty.all)).toEqual(["MESSAGE_STATUS_COMPLETED"]);
  const thought = await suffer({ kind: "think-only" });
  expect(textOf(thought.all)).toBe("");
  expect(textOf(thought.all, "think")).not.toBe("");
});

test("garbage: a frame that is no JSON, among good ones", async () => {
  const { all } = await suffer({ kind: "garbage" });
  expect(all.some(({ payload }) => payload === "this is not {JSON")).toBe(true);
  expect(textOf(all)).toBe(whole);
});

test("rewrite, snapshot, old-ids and no-mask: other ways to say the same", async () => {
  expect(textOf((await suffer({ kind: "rewrite" })).all)).toBe("(Rewritten.)three four ");
  const snapshot = await suffer({ kind: "snapshot" });
  expect(textOf(snapshot.all)).toBe(whole);
  expect(snapshot.all.some(({ json }) => json.op === "append")).toBe(false);
  const old = await suffer({ kind: "old-ids" });
  expect(old.all.some(({ json }) => record(json.block).id === "0_0")).toBe(true);
  const bare = await suffer({ kind: "no-mask" });
  expect(textOf(bare.all)).toBe(whole);
  expect(bare.all.some(({ json }) => json.op === "set" && "block" in json && "mask" in json)).toBe(false);
});

test("a prompt asks for faults by the same names", async () => {
  const fail = await ask(simulator, token, question("Please\nsim:fault=error-late,1,unavailable,REASON_Y"));
  expect(trailer(fail)).toMatchObject({
    error: { code: "unavailable", details: [{ debug: { reason: "REASON_Y" } }] },
  });
  const cut = await post(simulator, wrap(JSON.stringify(question("sim:fault=cut"))), token);
  expect(cut.broken).toBe(true);
  const calm = question("sim:fault=cut\nsim:say=All is well.");
  expect(textOf(await ask(simulator, token, calm))).toBe("All is well.");
});

test("a fault strikes before the ending of a script, however short that is", async () => {
  const brief = await startSimulator({
    script: () => [{ do: "text", content: ["one "] }, { do: "truncated" }],
  });
  brief.fault({ kind: "cut", after: 9 });
  const body = wrap(JSON.stringify(question("hello")));
  const { broken, bytes } = await post(brief, body, brief.issue().accessToken);
  expect(broken).toBe(true);
  expect(textOf(frames(bytes).all)).toBe("one ");
  await brief.close();
});

test("a fault lasts as many calls as it is told", async () => {
  simulator.fault({ kind: "empty" }, 2);
  const texts: string[] = [];
  for (let turn = 0; turn < 3; turn++) texts.push(textOf(await ask(simulator, token, question("hello"))));
  expect(texts).toEqual(["", "", whole]);
});

test("what was said before a failure stays in the chat", async () => {
  const { all } = await suffer({ kind: "truncated" });
  const { chat, assistant } = idsOf(all);
  const turn = question("sim:recall", { top: { chat_id: chat }, message: { parent_id: assistant } });
  expect(textOf(await ask(simulator, token, turn))).toBe("hello");
});
