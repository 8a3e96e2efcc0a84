import { createHash, randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { Dialogue } from "../conversations/dialogue.js";
import {
  chatBody,
  contentOf,
  type Gateway,
  type KimiKind,
  parseChunks,
  postChat,
  startGateway,
  waitUntil,
} from "../gateway.js";
import { kimiSides, kinds } from "./kimi-sides.js";

type UpstreamUnderTest = {
  kind: KimiKind;
  /** A gateway in front of a simulator, with this upstream between them. */
  start(options?: Parameters<typeof startGateway>[0]): Promise<Gateway>;
};

/** Behaviour that all upstreams share, by test name. */
const behaviours: Record<string, (upstream: UpstreamUnderTest) => Promise<void>> = {
  "answers with text, finish reason and usage": async ({ start }) => {
    const gateway = await start();
    const answer = await parseBody(await postChat(gateway, chatBody("sim:unicode")));
    expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant" } });
    for (const part of ["中文。👩‍👩‍👧‍👦👍🏽𠮷", ' "quoted" ', "NUL\u0000here", "\u2028\u2029", "</script>"])
      expect(answer.choices[0].message.content).toContain(part);
    expect(answer.usage.completion_tokens).toBeGreaterThan(0);
    expect(gateway.drift.entries()).toEqual([]);
  },

  "streams a delta before the next one arrives": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "stall", after: 1 });
    const client = new AbortController();
    const response = await postChat(gateway, chatBody("sim:repeat=5", { stream: true }), {
      signal: client.signal,
    });
    let seen = "";
    for await (const bytes of response.body ?? []) {
      seen += Buffer.from(bytes).toString();
      if (seen.includes('"content":"1 "')) break;
    }
    client.abort();
    expect(seen).not.toContain('"content":"2 "');
  },

  "shows the sources of a search": async ({ start }) => {
    const gateway = await start();
    const body = chatBody("the latest news", { citations: "footer" });
    const { message } = (await parseBody(await postChat(gateway, body))).choices[0];
    const urls = message.annotations.map((each: { url_citation: { url: string } }) => each.url_citation.url);
    expect(urls).toEqual(["https://example.org/simulated", "https://example.com/simulated"]);
    expect(message.content).toMatch(/1\. \[A made-up page\]\(https:\/\/example\.org\/simulated\)/);
    const silent = await parseBody(
      await postChat(gateway, chatBody("the latest news", { use_search: false })),
    );
    expect(silent.choices[0].message.annotations).toBeUndefined();
  },

  "separates thinking from the answer": async ({ kind, start }) => {
    if (kind === "kimi-legacy") throw new NotApplicable();
    const gateway = await start();
    const { message } = (await parseBody(await postChat(gateway, chatBody("sim:think sim:say=4"))))
      .choices[0];
    expect([message.content, message.reasoning_content]).toEqual(["4", expect.stringMatching(/think/)]);
  },

  "answers an error before the first delta with its HTTP status": async ({ start }) => {
    const gateway = await start();
    for (const stream of [true, false]) {
      gateway.simulator.fault({ kind: "error", code: "unavailable" });
      const response = await postChat(gateway, chatBody("hello", { stream }));
      expect(response.status).toBe(503);
      expect(await parseBody(response)).toMatchObject({ error: { code: "upstream_overloaded" } });
    }
  },

  "sends an error after the first delta as an error event": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "error-late", after: 3, code: "unavailable" });
    const chunks = await streamChunks(gateway, "sim:repeat=9");
    expect(contentOf(chunks.slice(0, -1))).toBe("1 2 3 ");
    expect(chunks.at(-1)?.error?.code).toBe("upstream_overloaded");
  },

  "never reports a broken answer as finished": async ({ start }) => {
    const gateway = await start();
    for (const kind of ["cut", "cut-in-frame", "no-trailer", "cancelled"] as const) {
      gateway.simulator.fault({ kind, after: 3 });
      const chunks = await streamChunks(gateway, "sim:repeat=9");
      expect(chunks.at(-1)?.error?.code).toBe("upstream_cut");
      expect(chunks.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? [])).toEqual([]);
    }
  },

  "times out without bytes or progress": async ({ start }) => {
    const gateway = await start({ timeouts: { idle: 1_000, progress: 1_000 } });
    for (const kind of ["stall", "stall-heartbeat"] as const) {
      gateway.simulator.fault({ kind, after: 2, ...(kind === "stall" ? {} : { everyMilliseconds: 30 }) });
      expect((await streamChunks(gateway, "sim:repeat=9")).at(-1)?.error?.code).toBe("timeout");
    }
  },

  "stops Kimi when the client disconnects": async ({ start }) => {
    const gateway = await start();
    for (const stream of [true, false]) {
      const client = new AbortController();
      const body = chatBody("sim:slow=20 sim:repeat=5000", { stream });
      const answer = postChat(gateway, body, { signal: client.signal });
      answer.catch(() => {});
      if (stream) await (await answer).body?.getReader().read();
      await waitUntil(() => gateway.simulator.counts().openStreams === 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.abort();
      // Without the abort the answer would take a hundred seconds.
      await waitUntil(() => gateway.simulator.counts().openStreams === 0);
    }
    expect((await postChat(gateway, chatBody("still there?"))).status).toBe(200);
  },

  "refreshes expired tokens once": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.expireAccessTokens();
    for (let turn = 0; turn < 3; turn++)
      expect((await postChat(gateway, chatBody("hello", { stream: turn === 0 }))).status).toBe(200);
    expect(countRefreshes(gateway)).toBe(1);
    gateway.simulator.fault({ kind: "expired" });
    expect(contentOf(await streamChunks(gateway, "sim:say=again"))).toBe("again");
    expect(countRefreshes(gateway)).toBe(2);
  },

  "names the remedy if Kimi refuses the tokens for good": async ({ start }) => {
    const tokens: string[] = [];
    const gateway = await start({
      tokens: (simulator) => {
        const pair = simulator.issue({ accessSeconds: 0 });
        tokens.push(pair.refreshToken);
        return pair;
      },
    });
    for (const token of tokens) gateway.simulator.revoke(token);
    const response = await postChat(gateway, chatBody("hello"));
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([424, "false"]);
    expect((await parseBody(response)).error).toMatchObject({
      code: "account_login_required",
      message: expect.stringMatching(/Log in there, copy access_token/),
    });
  },

  "continues the chat of the turn before": async ({ kind, start }) => {
    const gateway = await start();
    const first = await parseBody(await postChat(gateway, chatBody("apples")));
    const { content } = first.choices[0].message;
    const messages = [...chatBody("apples").messages, { role: "assistant", content }];
    const second = await parseBody(await postChat(gateway, requestAfter(messages, "sim:recall")));
    expect(second.choices[0].message.content).toBe("apples");
    const sent = kimiSides[kind].sentMessages(gateway);
    expect(sent.at(-1)).toEqual({ chat: expect.any(String), text: "sim:recall" });
    expect(new Set(sent.map(({ chat }) => chat).filter((chat) => chat !== undefined)).size).toBe(1);
  },

  "keeps concurrent requests with the same history apart": async ({ kind, start }) => {
    const gateway = await start();
    const first = await parseBody(await postChat(gateway, chatBody("apples")));
    const { content } = first.choices[0].message;
    const messages = [...chatBody("apples").messages, { role: "assistant", content }];
    const nextTexts = ["pears sim:recall", "plums sim:recall"];
    const answers = await Promise.all(
      nextTexts.map((word) => postChat(gateway, requestAfter(messages, word))),
    );
    for (const [at, answer] of answers.entries()) {
      const body = await parseBody(answer);
      // The legacy protocol gives one answer at a time: one of the two may get `account_busy`.
      if (answer.status !== 200) {
        expect([kind, answer.status, body.error.code]).toEqual(["kimi-legacy", 429, "account_busy"]);
        continue;
      }
      expect(body.choices[0].message.content).toMatch(/^(user: )?apples/);
      const continued = [
        ...messages,
        { role: "user", content: nextTexts[at] ?? "" },
        body.choices[0].message,
      ];
      const next = await parseBody(await postChat(gateway, requestAfter(continued, "sim:recall")));
      expect(next.choices[0].message.content).toMatch(at === 0 ? /pears/ : /plums/);
      expect(next.choices[0].message.content).not.toMatch(at === 0 ? /plums/ : /pears/);
    }
  },

  "resends the history if the chat was deleted on Kimi": async ({ kind, start }) => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("apples");
    await dialogue.send("pears");
    const [chat = ""] = await kimiSides[kind].listChats(gateway.simulator);
    await kimiSides[kind].deleteChat(gateway.simulator, chat);
    expect(await dialogue.send("sim:recall")).toMatch(/apples.*pears/);
    const sent = kimiSides[kind].sentMessages(gateway);
    expect(sent.map(({ chat: at }) => at === chat).slice(-2)).toEqual([true, false]);
    await dialogue.send("plums");
    expect(kimiSides[kind].sentMessages(gateway).at(-1)?.text).toBe("plums");
  },

  "replaces a chat that is too long before the first word, whatever the severity of the reason": async ({
    kind,
    start,
  }) => {
    const reason = "REASON_TOKEN_LENGTH_TOO_LONG";
    const severities =
      kind === "kimi-web" ? ["SEVERITY_INFO", "SEVERITY_BLOCK_RETRACT", undefined] : [undefined];
    for (const severity of severities) {
      const gateway = await start();
      const dialogue = new Dialogue(gateway);
      await dialogue.send("one");
      gateway.simulator.fault({ kind: "exception", reason, severity, after: 0 });
      const body = { ...requestAfter(dialogue.history, "two"), stream: true };
      const chunks = parseChunks(await (await postChat(gateway, body)).text());
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
      expect(JSON.stringify(chunks)).not.toContain("too long");
      const sent = kimiSides[kind].sentMessages(gateway);
      expect(sent.map(({ text }) => /^user: one.*user: two$/s.test(text))).toEqual([false, false, true]);
      expect(sent[2]?.chat === sent[1]?.chat).toBe(false);
    }
  },

  "uploads files byte for byte": async ({ kind, start }) => {
    const gateway = await start();
    for (const [type, name] of [
      ["application/pdf", "报告 1.pdf"],
      ["image/png", "image.png"],
    ] as const) {
      const bytes = randomBytes(70_000);
      const url = `data:${type};base64,${bytes.toString("base64")}`;
      const part =
        type === "image/png"
          ? { type: "image_url", image_url: { url } }
          : { type: "file", file: { filename: name, file_data: url } };
      const content = [{ type: "text", text: "What is it?" }, part];
      const response = await postChat(gateway, { model: "kimi", messages: [{ role: "user", content }] });
      expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
      const checksum = createHash("sha256").update(bytes).digest("hex");
      const sent = { name, contentType: type, size: bytes.length, checksum };
      expect(kimiSides[kind].uploads(gateway).at(-1)).toMatchObject(sent);
    }
  },

  "rejects a file that Kimi cannot parse and names its request path": async ({ start }) => {
    const gateway = await start();
    const file = { filename: "unparsable.pdf", file_data: "data:application/pdf;base64,JVBERg==" };
    const content = [
      { type: "text", text: "What is it?" },
      { type: "file", file },
    ];
    const response = await postChat(gateway, { model: "kimi", messages: [{ role: "user", content }] });
    expect((await parseBody(response)).error).toMatchObject({
      code: "file_rejected",
      param: "messages[0].content[1]",
    });
    expect(gateway.simulator.counts().chats).toBe(0);
  },

  "counts unknown events as drift and ignores them": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "unknown" });
    expect(contentOf(await streamChunks(gateway, "sim:repeat=12"))).toBe("1 2 3 4 5 6 7 8 9 10 11 12 ");
    expect(gateway.drift.entries().length).toBeGreaterThan(3);
  },

  "gives the same answer however the bytes are split": async ({ start }) => {
    const gateway = await start();
    const plain = contentOf(await streamChunks(gateway, "sim:unicode"));
    for (const bytes of [1, 2, 3, 7]) {
      gateway.simulator.fault({ kind: "split", bytes });
      expect(contentOf(await streamChunks(gateway, "sim:unicode"))).toBe(plain);
    }
  },

  "deletes an ephemeral chat however its turn ended": async ({ kind, start }) => {
    const gateway = await start({ chats: { mode: "ephemeral" } });
    await postChat(gateway, chatBody("one"));
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await postChat(gateway, chatBody("two"));
    expect(gateway.simulator.counts().chats).toBe(2);
    await expect.poll(() => kimiSides[kind].listChats(gateway.simulator)).toEqual([]);
  },
};

/** Thrown by a behaviour that the upstream does not support. */
class NotApplicable extends Error {}

const results = new Map<string, Record<KimiKind, string>>();

describe.each(kinds)("%s", (kind) => {
  const start: UpstreamUnderTest["start"] = (options) => startGateway({ kind, ...options });

  test.each(Object.entries(behaviours))("%s", async (name, behave) => {
    const row = results.get(name) ?? { "kimi-web": "", "kimi-legacy": "" };
    results.set(name, row);
    row[kind] = "FAILED";
    row[kind] = await behave({ kind, start }).then(
      () => "ok",
      (error: unknown) => {
        if (error instanceof NotApplicable) return "n/a";
        throw error;
      },
    );
  });
});

afterAll(() => console.table(Object.fromEntries(results)));

const parseBody = async (response: Response) => JSON.parse(await response.text());

async function streamChunks(gateway: Gateway, text: string) {
  return parseChunks(await (await postChat(gateway, chatBody(text, { stream: true }))).text());
}

function requestAfter(history: readonly object[], content: string) {
  return { model: "kimi", messages: [...history, { role: "user", content }] };
}

function countRefreshes({ simulator }: Gateway): number {
  const { refreshes, legacyRefreshes } = simulator.counts();
  return refreshes + legacyRefreshes;
}
