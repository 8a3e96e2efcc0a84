import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, type Simulator, type Step, startSimulator, type Turn } from "../../simulator/index.js";
import { parse, record } from "./client.js";
import { errorOf, eventsOf, type LegacyReply, legacyCall, newChat, said, say } from "./legacy-client.js";

const scripts: Record<string, Step[]> = {
  南京今天天气: [
    {
      do: "search",
      queries: ["南京天气"],
      sources: [{ title: "南京天气", url: "https://example.org/nanjing", snippet: "" }],
    },
    { do: "text", content: ["今天", "晴。"] },
  ],
  Summarise: [{ do: "text", content: ["A report."] }],
  hello: [{ do: "text", content: ["one ", "two ", "three ", "four "] }],
};

let simulator: Simulator;
let token: string;
let refreshToken: string;

beforeAll(async () => {
  simulator = await startSimulator({ script: ({ text }: Turn) => scripts[text] });
  ({ accessToken: token, refreshToken } = simulator.issue());
});
afterAll(() => simulator.close());

describe("the transcripts of kimi-web.md §5", () => {
  const fixture = readFileSync(new URL("fixtures/legacy.txt", import.meta.url), "utf8");

  type Exchange = { called: string; body: string | undefined; reply: string | undefined; data: string[] };

  function exchanges(section: string): Exchange[] {
    const text = fixture.split(/^# /m).find((part) => part.startsWith(`${section} `)) ?? "";
    return text
      .split(/^> /m)
      .slice(1)
      .map((part) => {
        const [called = "", ...lines] = part.trim().split("\n");
        return {
          called,
          body: lines.find((line) => line.startsWith("{")),
          reply: lines.find((line) => line.startsWith("< "))?.slice(2),
          data: lines.filter((line) => line.startsWith("data: ")),
        };
      });
  }

  /** Learns what the transcript's names are here: ids, tokens and addresses. */
  function learn(known: Map<string, string>, theirs: unknown, ours: unknown): void {
    if (typeof theirs === "string" && typeof ours === "string" && theirs !== "") known.set(theirs, ours);
    else if (typeof theirs === "object" && typeof ours === "object") {
      const here = record(ours);
      for (const [key, value] of Object.entries(record(theirs))) learn(known, value, here[key]);
    }
  }

  const translate = (known: Map<string, string>, text: string) =>
    [...known].reduce((told, [theirs, ours]) => told.replaceAll(theirs, ours), text);
  const shape = (json: string) => json.replace(/"[0-9a-v]{20}"/g, '"<id>"');

  test.each(["5.9", "5.10"])("%s, call for call and event for event", async (section) => {
    const known = new Map<string, string>();
    for (const { called, body, reply, data } of exchanges(section)) {
      const bearer = called.endsWith("token/refresh") ? refreshToken : (known.get("<access-jwt>") ?? token);
      const sent = called.startsWith("PUT ") ? Buffer.alloc(10_240, 7) : body && translate(known, body);
      const here = await legacyCall(
        simulator,
        bearer,
        translate(known, called),
        typeof sent === "string" ? parse(sent) : sent,
      );
      expect([called, here.status, here.broken]).toEqual([called, 200, false]);
      if (reply !== undefined) {
        learn(known, parse(reply), parse(here.text));
        expect(Object.keys(parse(here.text))).toEqual(Object.keys(parse(reply)));
      }
      if (data.length === 0) continue;
      expect(here.type).toMatch(/^text\/event-stream/);
      const told = here.text.split("\n\n").filter((block) => block !== "");
      expect(told.map(shape)).toEqual(data.map(shape));
    }
    expect(known.size).toBeGreaterThan(2);
  });
});

describe("chats are lines", () => {
  test("each turn remembers all before it, and the segments can be read", async () => {
    const chat = await newChat(simulator, token);
    await say(simulator, token, chat, "apples");
    await say(simulator, token, chat, "pears");
    expect(said(await say(simulator, token, chat, "sim:recall"))).toBe("apples\npears");
    const { text } = await legacyCall(simulator, token, `POST /api/chat/${chat}/segment/scroll`, { last: 2 });
    expect(parse(text)).toMatchObject({
      total: 6,
      items: [
        { role: "user", content: "sim:recall" },
        { role: "assistant", content: "apples\npears" },
      ],
    });
  });

  test("they are listed in both forms, deleted, and nobody else's", async () => {
    const { accessToken } = simulator.issue({ user: "lister" });
    const [first, second] = [await newChat(simulator, accessToken), await newChat(simulator, accessToken)];
    const body = { kimiplus_id: "", offset: 0, size: 50 };
    const listed = await legacyCall(simulator, accessToken, "POST /api/chat/list", body);
    expect(parse(listed.text)).toMatchObject({ total: 2, items: [{ name: "test" }, {}] });
    const paged = await legacyCall(simulator, accessToken, "GET /api/chat/list?offset=1&size=9");
    expect(parse(paged.text).items).toHaveLength(1);

    expect((await legacyCall(simulator, token, `DELETE /api/chat/${first}`)).status).toBe(404);
    expect((await legacyCall(simulator, accessToken, `DELETE /api/chat/${first}`)).status).toBe(200);
    expect(errorOf(await say(simulator, accessToken, first, "hello"))).toMatchObject({
      error_type: "chat.not_found",
    });
    expect(said(await say(simulator, accessToken, second, "hello"))).toBe("one two three four ");
  });

  test("a person has one answer at a time", async () => {
    const { accessToken } = simulator.issue({ user: "hasty" });
    const chat = await newChat(simulator, accessToken);
    const other = await newChat(simulator, accessToken);
    const first = say(simulator, accessToken, chat, "sim:slow=10 sim:repeat=200");
    await expect.poll(() => simulator.counts().openStreams).toBe(1);
    const second = await say(simulator, accessToken, other, "hello");
    expect([second.status, second.type]).toEqual([400, "application/json"]);
    expect(errorOf(second).error_type).toBe("chat.user_stream_pushing");
    expect(said(await first)).toMatch(/199 200 $/);
    expect(said(await say(simulator, accessToken, other, "hello"))).toMatch(/^one /);
  });

  test("what was withdrawn closes its chat", async () => {
    const chat = await newChat(simulator, token);
    simulator.fault({ kind: "retract" });
    expect(errorOf(await say(simulator, token, chat, "hello")).error_type).toMatch(/content_filter$/);
    const next = await say(simulator, token, chat, "hello");
    expect([next.status, errorOf(next).error_type]).toEqual([403, "chat.forbidden"]);
  });
});

describe("an answer that was cut to length", () => {
  const length = (reply: LegacyReply) =>
    eventsOf(reply)
      .slice(-2)
      .map(({ event }) => event);

  test.each(["req", "resp"])("goes on by the id of its %s event, as often as it takes", async (from) => {
    const chat = await newChat(simulator, token);
    simulator.fault({ kind: "truncated", after: 1 }, 2);
    const first = await say(simulator, token, chat, "hello");
    expect([said(first), length(first)]).toEqual(["one ", ["length", "all_done"]]);
    const segment_id = eventsOf(first).find(({ event }) => event === from)?.id;
    const more = { segment_id, action: "continue", kimiplus_id: "kimi" };
    const second = await say(simulator, token, chat, " ", more);
    expect([said(second), length(second)]).toEqual(["two ", ["length", "all_done"]]);
    const third = await say(simulator, token, chat, " ", more);
    expect([said(third), length(third)]).toEqual(["three four ", ["done", "all_done"]]);
    expect((await say(simulator, token, chat, " ", more)).status).toBe(400);
    const { text } = await legacyCall(simulator, token, `POST /api/chat/${chat}/segment/scroll`, {});
    expect(parse(text).items).toMatchObject([{ content: "hello" }, { content: "one two three four " }]);
  });

  test("and by no other id", async () => {
    const chat = await newChat(simulator, token);
    simulator.fault({ kind: "truncated", after: 1 });
    await say(simulator, token, chat, "hello");
    const more = { segment_id: chat, action: "continue" };
    expect((await say(simulator, token, chat, " ", more)).status).toBe(400);
  });
});

describe("faults", () => {
  async function suffer(fault: Fault, content = "hello"): Promise<LegacyReply> {
    const chat = await newChat(simulator, token);
    simulator.fault(fault);
    return say(simulator, token, chat, content);
  }

  const ends = (reply: LegacyReply) => eventsOf(reply).some(({ event }) => event === "all_done");

  test.each<[fault: Fault, type: string]>([
    [{ kind: "error", code: "resource_exhausted" }, "kimi.completion.overloaded"],
    [{ kind: "error", code: "internal" }, "openai.completion.stream"],
    [
      { kind: "error", code: "internal", reason: "REASON_TOKEN_LENGTH_TOO_LONG" },
      "kimi.completion.token_length_too_long",
    ],
    [
      { kind: "error", code: "internal", reason: "long_text_flash_catcher_limit" },
      "long_text_flash_catcher_limit",
    ],
  ])("%j is the event %s, before any word", async (fault, type) => {
    const reply = await suffer(fault);
    expect([reply.status, said(reply), ends(reply)]).toEqual([200, "", false]);
    expect(errorOf(reply)).toMatchObject({ error_type: type, message: expect.any(String) });
  });

  test.each<[fault: Fault, status: number, type: string]>([
    [{ kind: "expired" }, 401, "auth.token.invalid"],
    [{ kind: "error", code: "permission_denied", reason: "chat.forbidden" }, 403, "chat.forbidden"],
    [{ kind: "http", status: 503, retryAfter: 7 }, 503, "kimi.completion.overloaded"],
  ])("%j is the whole answer: %i %s", async (fault, status, type) => {
    const reply = await suffer(fault);
    expect([reply.status, reply.type]).toEqual([status, "application/json"]);
    expect(errorOf(reply).error_type).toBe(type);
  });

  test("in the middle: two deltas, and then an error, a cut or nothing", async () => {
    const late = await suffer({ kind: "error-late", code: "unavailable", afterDone: true });
    expect(eventsOf(late).map(({ event }) => event)).toEqual([
      "req",
      "resp",
      "cmpl",
      "cmpl",
      "done",
      "error",
    ]);
    for (const kind of ["cut", "cut-in-frame"] as const) {
      const reply = await suffer({ kind });
      expect([said(reply), reply.broken, reply.text.endsWith("\n\n")]).toEqual([
        "one two ",
        true,
        kind === "cut",
      ]);
    }
    for (const kind of ["no-trailer", "cancelled"] as const) {
      const reply = await suffer({ kind });
      expect([said(reply), reply.broken, ends(reply)]).toEqual(["one two ", false, false]);
    }
    await expect(suffer({ kind: "cut-before" })).rejects.toThrow();
    expect((await suffer({ kind: "html" })).type).toMatch(/html/);
  });

  test.each<Fault>([
    { kind: "split" },
    { kind: "burst" },
    { kind: "slow-start", milliseconds: 5 },
    { kind: "unknown" },
    { kind: "degrade" },
    { kind: "rewrite" },
    { kind: "snapshot" },
  ])("%j: the answer is whole", async (fault) => {
    const reply = await suffer(fault);
    expect([said(reply), ends(reply)]).toEqual(["one two three four ", true]);
    const known = /^(req|resp|cmpl|done|all_done)$/;
    const strange = eventsOf(reply).filter(({ event }) => !known.test(String(event)));
    expect(strange.length > 0).toBe(fault.kind === "unknown");
  });

  test("directives and faults in a prompt work as ever, through wrapped addresses", async () => {
    const chat = await newChat(simulator, token);
    const url = '<url id="" type="url" status="" title="" wc="">https://example.org/a</url>';
    expect(said(await say(simulator, token, chat, `sim:say=see ${url} now`))).toBe(
      "see https://example.org/a now",
    );
    const cut = await say(simulator, token, chat, "sim:fault=error,kimi.completion.overloaded");
    expect(errorOf(cut).error_type).toBe("kimi.completion.overloaded");
    const found = await say(simulator, token, chat, "latest news", { use_search: true });
    expect(eventsOf(found).filter(({ event }) => event === "search_plus")).toHaveLength(3);
  });

  test.each([
    ["no message", { messages: [] }],
    ["another role", { messages: [{ role: "assistant", content: "hi" }] }],
    ["two messages", { messages: Array(2).fill({ role: "user", content: "hi" }) }],
    ["a strange model", { kimiplus_id: "gpt-4" }],
    ["a strange action", { action: "sing" }],
  ])("%s is refused", async (_what, more) => {
    const chat = await newChat(simulator, token);
    expect((await say(simulator, token, chat, "hello", more)).status).toBe(400);
  });
});

describe("files", () => {
  const upload = async (name: string, action: "file" | "image", bytes: Buffer) => {
    const signed = parse(
      (await legacyCall(simulator, token, "POST /api/pre-sign-url", { action, name })).text,
    );
    expect((await legacyCall(simulator, "no-token", `PUT ${signed.url}`, bytes)).status).toBe(200);
    const { object_name, file_id } = signed;
    const body = action === "image" ? { type: action, file_id, name } : { type: action, name, object_name };
    return async () => parse((await legacyCall(simulator, token, "POST /api/file", body)).text);
  };

  test("a picture can be used at once, and only its digest stays", async () => {
    const bytes = Buffer.from("\u0000 not much of a picture");
    const look = await upload("图 1.png", "image", bytes);
    const { id, status } = await look();
    expect(status).toBe("parsed");
    expect(simulator.calls.findLast(({ method }) => method === "PUT")?.body).toMatchObject({
      name: "图 1.png",
      size: bytes.length,
      checksum: createHash("sha256").update(bytes).digest("hex"),
    });
    const chat = await newChat(simulator, token);
    expect((await say(simulator, token, chat, "hello", { refs: [id] })).status).toBe(200);
  });

  test("a document that is slow to arrive or cannot be read cannot be used", async () => {
    const look = await upload("slow unparsable.pdf", "file", Buffer.from("%PDF"));
    expect((await look()).status).toBe("uploading");
    const { id, status } = await look();
    expect(status).toBe("initialized");
    const read = await legacyCall(simulator, token, "POST /api/file/parse_process", { ids: [id] });
    expect(eventsOf(read).at(-1)).toEqual({ status: "failed" });
    const chat = await newChat(simulator, token);
    expect((await say(simulator, token, chat, "hello", { refs: [id] })).status).toBe(404);
  });

  test("an address that was not given out takes nothing", async () => {
    const reply = await legacyCall(
      simulator,
      token,
      "PUT /prod-chat-kimi/a/b?X-Amz-Signature=c",
      Buffer.from("x"),
    );
    expect(reply.status).toBe(403);
  });
});

test("research is counted", async () => {
  const { accessToken } = simulator.issue({ user: "researcher" });
  const usage = async () =>
    parse((await legacyCall(simulator, accessToken, "GET /api/chat/research/usage")).text);
  expect(await usage()).toEqual({ remain: 3, total: 3, used: 0 });
  const chat = await newChat(simulator, accessToken);
  await say(simulator, accessToken, chat, "hello", { use_research: true });
  expect(await usage()).toEqual({ remain: 2, total: 3, used: 1 });
});

test("without a valid token nothing is told", async () => {
  for (const called of [
    "GET /api/user",
    "POST /api/chat",
    "GET /api/chat/research/usage",
    "POST /api/file",
  ]) {
    const reply = await legacyCall(simulator, "nonsense", called);
    expect([reply.status, errorOf(reply)]).toEqual([
      401,
      { error_type: "auth.token.invalid", message: "您的授权已过期，请重新登录" },
    ]);
  }
});
