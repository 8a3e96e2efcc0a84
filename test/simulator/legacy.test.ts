import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, type Simulator, type Step, startSimulator, type Turn } from "../../simulator/index.js";
import { parseJson, toRecord } from "./client.js";
import {
  answerText,
  callLegacy,
  createChat,
  type LegacyReply,
  parseError,
  parseEvents,
  sendMessage,
} from "./legacy-client.js";

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

  type TranscriptCall = {
    methodAndPath: string;
    body: string | undefined;
    responseJson: string | undefined;
    /** The `data:` lines of the response. */
    dataLines: string[];
  };

  function parseCalls(section: string): TranscriptCall[] {
    const text = fixture.split(/^# /m).find((part) => part.startsWith(`${section} `)) ?? "";
    return text
      .split(/^> /m)
      .slice(1)
      .map((part) => {
        const [methodAndPath = "", ...lines] = part.trim().split("\n");
        return {
          methodAndPath,
          body: lines.find((line) => line.startsWith("{")),
          responseJson: lines.find((line) => line.startsWith("< "))?.slice(2),
          dataLines: lines.filter((line) => line.startsWith("data: ")),
        };
      });
  }

  /** Maps ids, tokens and URLs of the transcript to those of the simulator's response. */
  function collectValues(values: Map<string, string>, expected: unknown, actual: unknown): void {
    if (typeof expected === "string" && typeof actual === "string" && expected !== "")
      values.set(expected, actual);
    else if (typeof expected === "object" && typeof actual === "object") {
      const actualFields = toRecord(actual);
      for (const [key, value] of Object.entries(toRecord(expected)))
        collectValues(values, value, actualFields[key]);
    }
  }

  const replaceValues = (values: Map<string, string>, text: string) =>
    [...values].reduce((result, [expected, actual]) => result.replaceAll(expected, actual), text);
  const normalise = (json: string) => json.replace(/"[0-9a-v]{20}"/g, '"<id>"');

  test.each(["5.9", "5.10"])("%s: every response has the same fields and events", async (section) => {
    const values = new Map<string, string>();
    for (const { methodAndPath, body, responseJson, dataLines } of parseCalls(section)) {
      const bearer = methodAndPath.endsWith("token/refresh")
        ? refreshToken
        : (values.get("<access-jwt>") ?? token);
      const sent = methodAndPath.startsWith("PUT ")
        ? Buffer.alloc(10_240, 7)
        : body && replaceValues(values, body);
      const response = await callLegacy(
        simulator,
        bearer,
        replaceValues(values, methodAndPath),
        typeof sent === "string" ? parseJson(sent) : sent,
      );
      expect([methodAndPath, response.status, response.broken]).toEqual([methodAndPath, 200, false]);
      if (responseJson !== undefined) {
        collectValues(values, parseJson(responseJson), parseJson(response.text));
        expect(Object.keys(parseJson(response.text))).toEqual(Object.keys(parseJson(responseJson)));
      }
      if (dataLines.length === 0) continue;
      expect(response.type).toMatch(/^text\/event-stream/);
      const events = response.text.split("\n\n").filter((block) => block !== "");
      expect(events.map(normalise)).toEqual(dataLines.map(normalise));
    }
    expect(values.size).toBeGreaterThan(2);
  });
});

describe("chats", () => {
  test("each turn has the earlier ones as its history, and segment/scroll lists them", async () => {
    const chat = await createChat(simulator, token);
    await sendMessage(simulator, token, chat, "apples");
    await sendMessage(simulator, token, chat, "pears");
    expect(answerText(await sendMessage(simulator, token, chat, "sim:recall"))).toBe("apples\npears");
    const { text } = await callLegacy(simulator, token, `POST /api/chat/${chat}/segment/scroll`, { last: 2 });
    expect(parseJson(text)).toMatchObject({
      total: 6,
      items: [
        { role: "user", content: "sim:recall" },
        { role: "assistant", content: "apples\npears" },
      ],
    });
  });

  test("chats are listed by POST and GET, and only their owner can delete them", async () => {
    const { accessToken } = simulator.issue({ user: "lister" });
    const [first, second] = [
      await createChat(simulator, accessToken),
      await createChat(simulator, accessToken),
    ];
    const body = { kimiplus_id: "", offset: 0, size: 50 };
    const listed = await callLegacy(simulator, accessToken, "POST /api/chat/list", body);
    expect(parseJson(listed.text)).toMatchObject({ total: 2, items: [{ name: "test" }, {}] });
    const paged = await callLegacy(simulator, accessToken, "GET /api/chat/list?offset=1&size=9");
    expect(parseJson(paged.text).items).toHaveLength(1);

    expect((await callLegacy(simulator, token, `DELETE /api/chat/${first}`)).status).toBe(404);
    expect((await callLegacy(simulator, accessToken, `DELETE /api/chat/${first}`)).status).toBe(200);
    expect(parseError(await sendMessage(simulator, accessToken, first, "hello"))).toMatchObject({
      error_type: "chat.not_found",
    });
    expect(answerText(await sendMessage(simulator, accessToken, second, "hello"))).toBe(
      "one two three four ",
    );
  });

  test("a second answer at a time for an account is refused", async () => {
    const { accessToken } = simulator.issue({ user: "hasty" });
    const chat = await createChat(simulator, accessToken);
    const other = await createChat(simulator, accessToken);
    const first = sendMessage(simulator, accessToken, chat, "sim:slow=10 sim:repeat=200");
    await expect.poll(() => simulator.counts().openStreams).toBe(1);
    const second = await sendMessage(simulator, accessToken, other, "hello");
    expect([second.status, second.type]).toEqual([400, "application/json"]);
    expect(parseError(second).error_type).toBe("chat.user_stream_pushing");
    expect(answerText(await first)).toMatch(/199 200 $/);
    expect(answerText(await sendMessage(simulator, accessToken, other, "hello"))).toMatch(/^one /);
  });

  test("a withdrawn answer disables its chat", async () => {
    const chat = await createChat(simulator, token);
    simulator.fault({ kind: "retract" });
    expect(parseError(await sendMessage(simulator, token, chat, "hello")).error_type).toMatch(
      /content_filter$/,
    );
    const next = await sendMessage(simulator, token, chat, "hello");
    expect([next.status, parseError(next).error_type]).toEqual([403, "chat.forbidden"]);
  });
});

describe("a truncated answer", () => {
  const lastEvents = (reply: LegacyReply) =>
    parseEvents(reply)
      .slice(-2)
      .map(({ event }) => event);

  test.each(["req", "resp"])("is continued by the id of its %s event until it is complete", async (from) => {
    const chat = await createChat(simulator, token);
    simulator.fault({ kind: "truncated", after: 1 }, 2);
    const first = await sendMessage(simulator, token, chat, "hello");
    expect([answerText(first), lastEvents(first)]).toEqual(["one ", ["length", "all_done"]]);
    const segment_id = parseEvents(first).find(({ event }) => event === from)?.id;
    const more = { segment_id, action: "continue", kimiplus_id: "kimi" };
    const second = await sendMessage(simulator, token, chat, " ", more);
    expect([answerText(second), lastEvents(second)]).toEqual(["two ", ["length", "all_done"]]);
    const third = await sendMessage(simulator, token, chat, " ", more);
    expect([answerText(third), lastEvents(third)]).toEqual(["three four ", ["done", "all_done"]]);
    expect((await sendMessage(simulator, token, chat, " ", more)).status).toBe(400);
    const { text } = await callLegacy(simulator, token, `POST /api/chat/${chat}/segment/scroll`, {});
    expect(parseJson(text).items).toMatchObject([{ content: "hello" }, { content: "one two three four " }]);
  });

  test("is not continued by any other id", async () => {
    const chat = await createChat(simulator, token);
    simulator.fault({ kind: "truncated", after: 1 });
    await sendMessage(simulator, token, chat, "hello");
    const more = { segment_id: chat, action: "continue" };
    expect((await sendMessage(simulator, token, chat, " ", more)).status).toBe(400);
  });
});

describe("faults", () => {
  async function sendWithFault(fault: Fault, content = "hello"): Promise<LegacyReply> {
    const chat = await createChat(simulator, token);
    simulator.fault(fault);
    return sendMessage(simulator, token, chat, content);
  }

  const hasEnd = (reply: LegacyReply) => parseEvents(reply).some(({ event }) => event === "all_done");

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
  ])("%j is an error event %s before any text", async (fault, type) => {
    const reply = await sendWithFault(fault);
    expect([reply.status, answerText(reply), hasEnd(reply)]).toEqual([200, "", false]);
    expect(parseError(reply)).toMatchObject({ error_type: type, message: expect.any(String) });
  });

  test.each<[fault: Fault, status: number, type: string]>([
    [{ kind: "expired" }, 401, "auth.token.invalid"],
    [{ kind: "error", code: "permission_denied", reason: "chat.forbidden" }, 403, "chat.forbidden"],
    [{ kind: "http", status: 503, retryAfter: 7 }, 503, "kimi.completion.overloaded"],
  ])("%j is a JSON response: %i %s", async (fault, status, type) => {
    const reply = await sendWithFault(fault);
    expect([reply.status, reply.type]).toEqual([status, "application/json"]);
    expect(parseError(reply).error_type).toBe(type);
  });

  test("faults after two deltas end with an error, a broken connection or no event", async () => {
    const late = await sendWithFault({ kind: "error-late", code: "unavailable", afterDone: true });
    expect(parseEvents(late).map(({ event }) => event)).toEqual([
      "req",
      "resp",
      "cmpl",
      "cmpl",
      "done",
      "error",
    ]);
    for (const kind of ["cut", "cut-in-frame"] as const) {
      const reply = await sendWithFault({ kind });
      expect([answerText(reply), reply.broken, reply.text.endsWith("\n\n")]).toEqual([
        "one two ",
        true,
        kind === "cut",
      ]);
    }
    for (const kind of ["no-trailer", "cancelled"] as const) {
      const reply = await sendWithFault({ kind });
      expect([answerText(reply), reply.broken, hasEnd(reply)]).toEqual(["one two ", false, false]);
    }
    await expect(sendWithFault({ kind: "cut-before" })).rejects.toThrow();
    expect((await sendWithFault({ kind: "html" })).type).toMatch(/html/);
  });

  test.each<Fault>([
    { kind: "split" },
    { kind: "burst" },
    { kind: "slow-start", milliseconds: 5 },
    { kind: "unknown" },
    { kind: "degrade" },
    { kind: "rewrite" },
    { kind: "snapshot" },
  ])("%j: the answer is complete", async (fault) => {
    const reply = await sendWithFault(fault);
    expect([answerText(reply), hasEnd(reply)]).toEqual(["one two three four ", true]);
    const knownEvents = /^(req|resp|cmpl|done|all_done)$/;
    const unknownEvents = parseEvents(reply).filter(({ event }) => !knownEvents.test(String(event)));
    expect(unknownEvents.length > 0).toBe(fault.kind === "unknown");
  });

  test("directives and faults in a prompt work, also around a wrapped URL", async () => {
    const chat = await createChat(simulator, token);
    const url = '<url id="" type="url" status="" title="" wc="">https://example.org/a</url>';
    expect(answerText(await sendMessage(simulator, token, chat, `sim:say=see ${url} now`))).toBe(
      "see https://example.org/a now",
    );
    const overloaded = await sendMessage(
      simulator,
      token,
      chat,
      "sim:fault=error,kimi.completion.overloaded",
    );
    expect(parseError(overloaded).error_type).toBe("kimi.completion.overloaded");
    const searched = await sendMessage(simulator, token, chat, "latest news", { use_search: true });
    expect(parseEvents(searched).filter(({ event }) => event === "search_plus")).toHaveLength(3);
  });

  test.each([
    ["no message", { messages: [] }],
    ["another role", { messages: [{ role: "assistant", content: "hi" }] }],
    ["two messages", { messages: Array(2).fill({ role: "user", content: "hi" }) }],
    ["an unknown model", { kimiplus_id: "gpt-4" }],
    ["an unknown action", { action: "sing" }],
  ])("a request with %s is refused", async (_case, more) => {
    const chat = await createChat(simulator, token);
    expect((await sendMessage(simulator, token, chat, "hello", more)).status).toBe(400);
  });
});

describe("files", () => {
  const upload = async (name: string, action: "file" | "image", bytes: Buffer) => {
    const signed = parseJson(
      (await callLegacy(simulator, token, "POST /api/pre-sign-url", { action, name })).text,
    );
    expect((await callLegacy(simulator, "no-token", `PUT ${signed.url}`, bytes)).status).toBe(200);
    const { object_name, file_id } = signed;
    const body = action === "image" ? { type: action, file_id, name } : { type: action, name, object_name };
    return async () => parseJson((await callLegacy(simulator, token, "POST /api/file", body)).text);
  };

  test("an image can be used at once, and only its metadata is kept", async () => {
    const bytes = Buffer.from("\u0000 not much of a picture");
    const poll = await upload("图 1.png", "image", bytes);
    const { id, status } = await poll();
    expect(status).toBe("parsed");
    expect(simulator.calls.findLast(({ method }) => method === "PUT")?.body).toMatchObject({
      name: "图 1.png",
      size: bytes.length,
      checksum: createHash("sha256").update(bytes).digest("hex"),
    });
    const chat = await createChat(simulator, token);
    expect((await sendMessage(simulator, token, chat, "hello", { refs: [id] })).status).toBe(200);
  });

  test("a document is uploading, then initialized; after failed parsing it cannot be used", async () => {
    const poll = await upload("slow unparsable.pdf", "file", Buffer.from("%PDF"));
    expect((await poll()).status).toBe("uploading");
    const { id, status } = await poll();
    expect(status).toBe("initialized");
    const read = await callLegacy(simulator, token, "POST /api/file/parse_process", { ids: [id] });
    expect(parseEvents(read).at(-1)).toEqual({ status: "failed" });
    const chat = await createChat(simulator, token);
    expect((await sendMessage(simulator, token, chat, "hello", { refs: [id] })).status).toBe(404);
  });

  test("an upload to a URL without a valid signature is refused", async () => {
    const reply = await callLegacy(
      simulator,
      token,
      "PUT /prod-chat-kimi/a/b?X-Amz-Signature=c",
      Buffer.from("x"),
    );
    expect(reply.status).toBe(403);
  });
});

test("research requests are counted", async () => {
  const { accessToken } = simulator.issue({ user: "researcher" });
  const usage = async () =>
    parseJson((await callLegacy(simulator, accessToken, "GET /api/chat/research/usage")).text);
  expect(await usage()).toEqual({ remain: 3, total: 3, used: 0 });
  const chat = await createChat(simulator, accessToken);
  await sendMessage(simulator, accessToken, chat, "hello", { use_research: true });
  expect(await usage()).toEqual({ remain: 2, total: 3, used: 1 });
});

test("calls without a valid token are refused", async () => {
  for (const methodAndPath of [
    "GET /api/user",
    "POST /api/chat",
    "GET /api/chat/research/usage",
    "POST /api/file",
  ]) {
    const reply = await callLegacy(simulator, "nonsense", methodAndPath);
    expect([reply.status, parseError(reply)]).toEqual([
      401,
      { error_type: "auth.token.invalid", message: "您的授权已过期，请重新登录" },
    ]);
  }
});
