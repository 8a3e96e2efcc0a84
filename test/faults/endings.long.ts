import { describe, expect, test } from "vitest";
import type { Fault } from "../../simulator/index.js";
import { Dialogue, sentTurns } from "../conversations/dialogue.js";
import {
  chatBody,
  contentOf,
  type Gateway,
  parseChunks,
  postChat,
  startGateway,
  waitUntil,
} from "../gateway.js";
import { ask, type TestedDialect, testedDialects } from "./dialects.js";

const timeouts = { idle: 400, progress: 400 };

/**
 * Chat completions and one other dialect, a different one for each fault: all of them with every fault would take a minute
 * more.
 */
function dialectsFor(fault: Fault): TestedDialect[] {
  const [first, ...others] = testedDialects;
  const length = JSON.stringify(fault).length;
  const other = others[length % others.length];
  return [first, other].flatMap((dialect) => dialect ?? []);
}

/** These, streamed and not. */
function waysFor(fault: Fault) {
  return dialectsFor(fault).flatMap((dialect) => [true, false].map((stream) => ({ dialect, stream })));
}

function setFault(gateway: Gateway, fault: Fault): void {
  // A connection that was used before and closes unanswered is tried once more.
  gateway.simulator.fault(fault, fault.kind === "cut-before" ? 2 : 1);
}

/** The answer of a new gateway, over any dialect. */
async function answerWithFault(
  { dialect, stream }: { dialect: TestedDialect; stream: boolean },
  fault: Fault,
  text = "sim:repeat=20",
) {
  const gateway = await startGateway({ timeouts });
  setFault(gateway, fault);
  const response = await ask(gateway, dialect, text, { stream });
  return { gateway, status: response.status, headers: response.headers, body: await response.text() };
}

async function requestWithFault(gateway: Gateway, fault: Fault, stream: boolean, text = "sim:repeat=20") {
  setFault(gateway, fault);
  const response = await postChat(
    gateway,
    chatBody(text, { stream, stream_options: { include_usage: true } }),
  );
  return { status: response.status, headers: response.headers, body: await response.text() };
}

type ExpectedError = [fault: Fault, status: number, code: string];

/** Faults before the first delta. */
const earlyFaults: ExpectedError[] = [
  [
    { kind: "error", code: "resource_exhausted", reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER" },
    503,
    "upstream_overloaded",
  ],
  [
    { kind: "error", code: "resource_exhausted", reason: "REASON_RATE_LIMIT_EXCEEDED" },
    429,
    "rate_limit_exceeded",
  ],
  [{ kind: "error", code: "resource_exhausted" }, 429, "rate_limit_exceeded"],
  [
    {
      kind: "error",
      code: "resource_exhausted",
      reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER",
      paywall: true,
    },
    429,
    "insufficient_quota",
  ],
  [
    {
      kind: "error",
      code: "resource_exhausted",
      reason: "REASON_SERVER_OVERLOADED_FOR_FREE_USER",
      afterDone: true,
    },
    503,
    "upstream_overloaded",
  ],
  [
    { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" },
    424,
    "account_login_required",
  ],
  [{ kind: "error", code: "invalid_argument" }, 502, "upstream_protocol"],
  [{ kind: "error", code: "unavailable" }, 503, "upstream_overloaded"],
  [{ kind: "error", code: "deadline_exceeded" }, 504, "timeout"],
  [{ kind: "error", code: "internal" }, 502, "upstream_unavailable"],
  [{ kind: "error", code: "not_found" }, 404, "not_found"],
  [{ kind: "http", status: 429, retryAfter: 17 }, 429, "rate_limit_exceeded"],
  [{ kind: "http", status: 403 }, 424, "account_login_required"],
  [{ kind: "http", status: 500 }, 502, "upstream_unavailable"],
  [{ kind: "http", status: 502, body: "<html>Bad gateway</html>" }, 503, "upstream_overloaded"],
  [{ kind: "http", status: 200, body: '{"code":"unavailable"}' }, 503, "upstream_overloaded"],
  [{ kind: "http", status: 200, body: '{"error":{"code":"deadline_exceeded"}}' }, 504, "timeout"],
  [{ kind: "http", status: 200, body: "{}" }, 502, "upstream_protocol"],
  [{ kind: "html" }, 502, "upstream_protocol"],
  [{ kind: "cut-before" }, 502, "upstream_cut"],
  [{ kind: "cut", after: 0 }, 502, "upstream_cut"],
  [{ kind: "no-trailer", after: 0 }, 502, "upstream_cut"],
  [{ kind: "stall", after: 0 }, 504, "timeout"],
  [{ kind: "stall-heartbeat", after: 0, everyMilliseconds: 50 }, 504, "timeout"],
  [{ kind: "garbage", after: 0 }, 502, "upstream_protocol"],
  [{ kind: "huge", after: 0 }, 502, "upstream_protocol"],
  [{ kind: "empty" }, 502, "upstream_protocol"],
  [{ kind: "status-error", after: 0 }, 502, "upstream_unavailable"],
  [
    {
      kind: "exception",
      reason: "REASON_COMPLETION_OVERLOADED",
      severity: "SEVERITY_BLOCK_RETRACT",
      after: 0,
    },
    503,
    "upstream_overloaded",
  ],
  [{ kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 }, 400, "context_length_exceeded"],
  [
    { kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", severity: "SEVERITY_INFO", after: 0 },
    400,
    "context_length_exceeded",
  ],
  [{ kind: "exception", reason: "REASON_K2_USAGE_EXCEEDED", after: 0 }, 429, "insufficient_quota"],
  [{ kind: "retract", after: 0 }, 400, "content_filter"],
];

describe("a fault before the first delta ends with an HTTP error status, over two dialects, streamed or not", () => {
  test.each(earlyFaults)("%j → %i %s", async (fault, status, code) => {
    await Promise.all(
      waysFor(fault).map(async (way) => {
        const answer = await answerWithFault(way, fault);
        if (way.stream && way.dialect.failsInStream?.(code)) {
          expect(answer.status).toBe(200);
          const { text, error } = way.dialect.parseStream(answer.body);
          expect({ text, error }).toEqual({ text: "", error: way.dialect.streamError?.(code) });
          return;
        }
        expect(answer.status).toBe(way.dialect.status?.(code) ?? status);
        expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
        expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
        expect(JSON.parse(answer.body)).toEqual(way.dialect.error(code));
      }),
    );
  });

  test("Retry-After is passed on; an error that a retry cannot solve has x-should-retry: false", async () => {
    const limited = await requestWithFault(
      await startGateway(),
      { kind: "http", status: 429, retryAfter: 17 },
      true,
    );
    expect(limited.headers.get("retry-after")).toBe("17");
    expect(limited.headers.get("x-should-retry")).toBeNull();
    const paywall: Fault = { kind: "error", code: "resource_exhausted", paywall: true };
    const quota = await requestWithFault(await startGateway(), paywall, true);
    expect(quota.headers.get("x-should-retry")).toBe("false");
  });

  test("an unreachable upstream is 502 upstream_unavailable", async () => {
    const gateway = await startGateway({ baseUrl: "http://127.0.0.1:9" });
    const response = await postChat(gateway, chatBody("hello", { stream: true }));
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: "upstream_unavailable" } });
  });
});

/** Faults after the first deltas. */
const midAnswerFaults: [fault: Fault, code: string][] = [
  [{ kind: "cut", after: 3 }, "upstream_cut"],
  [{ kind: "cut-in-frame", after: 3 }, "upstream_cut"],
  [{ kind: "no-trailer", after: 3 }, "upstream_cut"],
  [{ kind: "stall", after: 3 }, "timeout"],
  [{ kind: "stall-heartbeat", after: 3, everyMilliseconds: 50 }, "timeout"],
  [{ kind: "garbage", after: 3 }, "upstream_protocol"],
  [{ kind: "huge", after: 3 }, "upstream_protocol"],
  [{ kind: "cancelled", after: 3 }, "upstream_cut"],
  [{ kind: "status-error", after: 3 }, "upstream_unavailable"],
  [{ kind: "error-late", after: 3, code: "unavailable" }, "upstream_overloaded"],
  [{ kind: "error-late", after: 3, code: "unavailable", afterDone: true }, "upstream_overloaded"],
  [
    { kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", severity: "SEVERITY_INFO", after: 3 },
    "context_length_exceeded",
  ],
  [{ kind: "exception", reason: "REASON_CHAT_FATAL_ERROR", after: 3 }, "upstream_unavailable"],
  [
    { kind: "exception", reason: "REASON_COMPLETION_OVERLOADED", after: 3, status: "COMPLETED" },
    "upstream_overloaded",
  ],
];

describe("a fault after the first delta is an error, over two dialects", () => {
  test.each(midAnswerFaults)(
    "streamed: at the end of the stream, without a regular end: %j → %s",
    async (fault, code) => {
      await Promise.all(
        dialectsFor(fault).map(async (dialect) => {
          const answer = await answerWithFault({ dialect, stream: true }, fault);
          expect(answer.status).toBe(200);
          const { text, finishes, error } = dialect.parseStream(answer.body);
          expect(text).not.toBe("");
          expect(error).toEqual((dialect.streamError ?? dialect.error)(code));
          expect(finishes).toEqual([]);
          expect(answer.gateway.simulator.counts().chats).toBe(1);
        }),
      );
    },
  );

  test.each(midAnswerFaults)("not streamed: an HTTP error status: %j → %s", async (fault, code) => {
    await Promise.all(
      dialectsFor(fault).map(async (dialect) => {
        const answer = await answerWithFault({ dialect, stream: false }, fault);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(JSON.parse(answer.body)).toEqual(dialect.error(code));
      }),
    );
  });
});

describe("an access token that ends while Kimi answers is renewed", () => {
  const expired: Fault = { kind: "error-late", after: 3, code: "unauthenticated" };

  test("streamed: what was sent on ends with an error that says so", async () => {
    const gateway = await startGateway();
    const chunks = parseChunks((await requestWithFault(gateway, expired, true)).body);
    expect(chunks.at(-1)?.error).toMatchObject({
      code: "upstream_cut",
      message: expect.stringMatching(/has renewed it: send the message again/),
    });
    expect(gateway.simulator.counts().refreshes).toBe(1);
    const again = await postChat(gateway, chatBody("sim:repeat=3"));
    expect(again.status).toBe(200);
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test.each([
    ["not streamed", false, 3],
    ["streamed, before anything was sent on", true, 0],
  ])("%s: the message is sent again", async (_how, stream, after) => {
    const gateway = await startGateway();
    const response = await requestWithFault(gateway, { ...expired, after }, stream, "sim:repeat=4");
    expect(response.status).toBe(200);
    expect(response.body).not.toContain("error");
    const content = stream
      ? contentOf(parseChunks(response.body))
      : JSON.parse(response.body).choices[0].message.content;
    expect(content).toBe("1 2 3 4 ");
    expect(gateway.simulator.counts().refreshes).toBe(1);
  });

  test("with a login that is no longer accepted: the error says to log in", async () => {
    let refreshToken = "";
    const gateway = await startGateway({
      tokens: (simulator) => {
        const pair = simulator.issue();
        refreshToken = pair.refreshToken;
        return pair;
      },
    });
    gateway.simulator.revoke(refreshToken);
    const chunks = parseChunks((await requestWithFault(gateway, expired, true)).body);
    expect(chunks.at(-1)?.error?.code).toBe("account_login_required");
  });
});

describe("a block that Kimi replaces", () => {
  const rewrite: Fault = { kind: "rewrite", after: 2 };

  test("not streamed: the answer is what Kimi holds, and its next turn continues the chat", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    gateway.simulator.fault(rewrite);
    expect(await dialogue.send("sim:repeat=4")).toBe("(Rewritten.)3 4 ");
    await dialogue.send("and now?");
    expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true]);
  });

  test("streamed, after its text was sent on: an error, and the next turn begins a new chat", async () => {
    const gateway = await startGateway();
    const prompt = "sim:slow=100 sim:repeat=4";
    const chunks = parseChunks((await requestWithFault(gateway, rewrite, true, prompt)).body);
    expect(contentOf(chunks.slice(0, -1))).toBe("1 2 ");
    expect(chunks.at(-1)?.error).toMatchObject({
      code: "upstream_protocol",
      message: expect.stringMatching(/replaced a part of its answer/),
    });
    await waitUntil(() => gateway.simulator.counts().cancels === 1);
    const history = [...chatBody(prompt).messages, { role: "assistant", content: "1 2 " }];
    const messages = [...history, { role: "user", content: "and now?" }];
    expect((await postChat(gateway, { model: "kimi", messages })).status).toBe(200);
    expect(sentTurns(gateway).map(({ chatId }) => chatId)).toEqual([undefined, undefined]);
  });
});

describe("endings other than stop and error", () => {
  test.each(testedDialects)(
    "a withdrawn answer ends as filtered, and without streaming has no content: $name",
    async (dialect) => {
      const fault: Fault = { kind: "retract", after: 3 };
      const streamed = await answerWithFault({ dialect, stream: true }, fault);
      expect(dialect.parseStream(streamed.body).finishes).toEqual(["content_filter"]);
      const whole = await answerWithFault({ dialect, stream: false }, fault);
      expect(dialect.parseWhole(whole.body)).toEqual({ text: "", finish: "content_filter" });
    },
  );

  test.each(testedDialects)("a truncated answer ends by its length: $name", async (dialect) => {
    const { body } = await answerWithFault({ dialect, stream: true }, { kind: "truncated", after: 3 });
    expect(dialect.parseStream(body).finishes).toEqual(["length"]);
  });

  test("a degraded model is reported as a notice, not as an error", async () => {
    const gateway = await startGateway();
    const chunks = parseChunks((await requestWithFault(gateway, { kind: "degrade" }, true)).body);
    expect(chunks.at(-2)).toMatchObject({
      choices: [{ finish_reason: "stop" }],
      moonbridge_notices: [{ code: "model_degrade", message: expect.stringMatching(/High demand/) }],
    });
  });
});

describe("unusual encodings give the same answer over each dialect", () => {
  const encodings: Fault[] = [
    { kind: "split" },
    { kind: "burst" },
    { kind: "gzip" },
    { kind: "snapshot" },
    { kind: "old-ids" },
    { kind: "no-mask" },
    { kind: "unknown" },
    { kind: "slow-start", milliseconds: 50 },
  ];
  test.each(encodings)("%j", async (fault) => {
    await Promise.all(
      testedDialects.map(async (dialect) => {
        const { gateway, body } = await answerWithFault({ dialect, stream: true }, fault, "sim:unicode");
        const { text, finishes } = dialect.parseStream(body);
        const plain = await (await ask(gateway, dialect, "sim:unicode", { stream: true })).text();
        expect(text).toBe(dialect.parseStream(plain).text);
        expect(text).toMatch(/\p{Script=Han}/u);
        expect(finishes).toEqual(["stop"]);
        expect(gateway.drift.entries().length > 0).toBe(fault.kind === "unknown");
      }),
    );
  });
});
