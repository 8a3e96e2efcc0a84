import { createHash, randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { Dialogue } from "../conversations/dialogue.js";
import { asking, chunksOf, type Gateway, type Kind, post, startGateway, textOf, until } from "../gateway.js";
import { kinds, protocols } from "./protocols.js";

type Upstream = {
  kind: Kind;
  /** A gateway in front of a simulator, with this upstream between them. */
  start(options?: Parameters<typeof startGateway>[0]): Promise<Gateway>;
};

/** What everybody may rely on, whichever upstream answers. */
const behaviours: Record<string, (upstream: Upstream) => Promise<void>> = {
  "a plain answer": async ({ start }) => {
    const gateway = await start();
    const answer = await answerOf(await post(gateway, asking("sim:unicode")));
    expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant" } });
    for (const part of ["中文。👩‍👩‍👧‍👦👍🏽𠮷", ' "quoted" ', "NUL\u0000here", "\u2028\u2029", "</script>"])
      expect(answer.choices[0].message.content).toContain(part);
    expect(answer.usage.completion_tokens).toBeGreaterThan(0);
    expect(gateway.drift.entries()).toEqual([]);
  },

  "a word leaves before the next one comes": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "stall", after: 1 });
    const client = new AbortController();
    const response = await post(gateway, asking("sim:repeat=5", { stream: true }), { signal: client.signal });
    let seen = "";
    for await (const bytes of response.body ?? []) {
      seen += Buffer.from(bytes).toString();
      if (seen.includes('"content":"1 "')) break;
    }
    client.abort();
    expect(seen).not.toContain('"content":"2 "');
  },

  "a search shows its sources": async ({ start }) => {
    const gateway = await start();
    const body = asking("the latest news", { citations: "footer" });
    const { message } = (await answerOf(await post(gateway, body))).choices[0];
    const urls = message.annotations.map((each: { url_citation: { url: string } }) => each.url_citation.url);
    expect(urls).toEqual(["https://example.org/simulated", "https://example.com/simulated"]);
    expect(message.content).toMatch(/1\. \[A made-up page\]\(https:\/\/example\.org\/simulated\)/);
    const silent = await answerOf(await post(gateway, asking("the latest news", { use_search: false })));
    expect(silent.choices[0].message.annotations).toBeUndefined();
  },

  "thinking is apart from the answer": async ({ kind, start }) => {
    if (kind === "kimi-legacy") throw new NotApplicable();
    const gateway = await start();
    const { message } = (await answerOf(await post(gateway, asking("sim:think sim:say=4")))).choices[0];
    expect([message.content, message.reasoning_content]).toEqual(["4", expect.stringMatching(/think/)]);
  },

  "an error before the first word has its status": async ({ start }) => {
    const gateway = await start();
    for (const stream of [true, false]) {
      gateway.simulator.fault({ kind: "error", code: "unavailable" });
      const response = await post(gateway, asking("hello", { stream }));
      expect(response.status).toBe(503);
      expect(await answerOf(response)).toMatchObject({ error: { code: "upstream_overloaded" } });
    }
  },

  "an error after it is an error event": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "error-late", after: 3, code: "unavailable" });
    const chunks = await streamed(gateway, "sim:repeat=9");
    expect(textOf(chunks.slice(0, -1))).toBe("1 2 3 ");
    expect(chunks.at(-1)?.error?.code).toBe("upstream_overloaded");
  },

  "a cut is never a stop": async ({ start }) => {
    const gateway = await start();
    for (const kind of ["cut", "cut-in-frame", "no-trailer", "cancelled"] as const) {
      gateway.simulator.fault({ kind, after: 3 });
      const chunks = await streamed(gateway, "sim:repeat=9");
      expect(chunks.at(-1)?.error?.code).toBe("upstream_cut");
      expect(chunks.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? [])).toEqual([]);
    }
  },

  "silence is a timeout": async ({ start }) => {
    const gateway = await start({ patience: { silence: 1_000, progress: 1_000 } });
    for (const kind of ["stall", "stall-heartbeat"] as const) {
      gateway.simulator.fault({ kind, after: 2, ...(kind === "stall" ? {} : { everyMilliseconds: 30 }) });
      expect((await streamed(gateway, "sim:repeat=9")).at(-1)?.error?.code).toBe("timeout");
    }
  },

  "stop in the UI stops Kimi": async ({ start }) => {
    const gateway = await start();
    for (const stream of [true, false]) {
      const client = new AbortController();
      const body = asking("sim:slow=20 sim:repeat=5000", { stream });
      const answer = post(gateway, body, { signal: client.signal });
      answer.catch(() => {});
      if (stream) await (await answer).body?.getReader().read();
      await until(() => gateway.simulator.counts().openStreams === 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.abort();
      // By itself the answer would go on for a hundred seconds.
      await until(() => gateway.simulator.counts().openStreams === 0);
    }
    expect((await post(gateway, asking("still there?"))).status).toBe(200);
  },

  "an expired login is renewed once": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.expireAccessTokens();
    for (let turn = 0; turn < 3; turn++)
      expect((await post(gateway, asking("hello", { stream: turn === 0 }))).status).toBe(200);
    expect(renewals(gateway)).toBe(1);
    gateway.simulator.fault({ kind: "expired" });
    expect(textOf(await streamed(gateway, "sim:say=again"))).toBe("again");
    expect(renewals(gateway)).toBe(2);
  },

  "a login that is refused for good names the remedy": async ({ start }) => {
    const tokens: string[] = [];
    const gateway = await start({
      tokens: (simulator) => {
        const pair = simulator.issue({ accessSeconds: 0 });
        tokens.push(pair.refreshToken);
        return pair;
      },
    });
    for (const token of tokens) gateway.simulator.revoke(token);
    const response = await post(gateway, asking("hello"));
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, "false"]);
    expect((await answerOf(response)).error).toMatchObject({
      code: "account_login_required",
      message: expect.stringMatching(/Log in there, copy access_token/),
    });
  },

  "two turns are one chat": async ({ kind, start }) => {
    const gateway = await start();
    const first = await answerOf(await post(gateway, asking("apples")));
    const { content } = first.choices[0].message;
    const messages = [...asking("apples").messages, { role: "assistant", content }];
    const second = await answerOf(await post(gateway, talk(messages, "sim:recall")));
    expect(second.choices[0].message.content).toBe("apples");
    expect(second.conversation_id).toBe(first.conversation_id);
    expect(protocols[kind].asked(gateway).at(-1)).toEqual({
      chat: first.conversation_id,
      text: "sim:recall",
    });
  },

  "one history sent twice at once mixes nothing": async ({ kind, start }) => {
    const gateway = await start();
    const first = await answerOf(await post(gateway, asking("apples")));
    const { content } = first.choices[0].message;
    const messages = [...asking("apples").messages, { role: "assistant", content }];
    const both = ["pears sim:recall", "plums sim:recall"];
    const answers = await Promise.all(both.map((word) => post(gateway, talk(messages, word))));
    for (const [at, answer] of answers.entries()) {
      const body = await answerOf(answer);
      // Where Kimi gives one answer at a time and nobody queues, one of them is told to come again.
      if (answer.status !== 200) {
        expect([kind, answer.status, body.error.code]).toEqual(["kimi-legacy", 429, "account_busy"]);
        continue;
      }
      expect(body.choices[0].message.content).toMatch(/^(user: )?apples/);
      const mine = [...messages, { role: "user", content: both[at] ?? "" }, body.choices[0].message];
      const next = await answerOf(await post(gateway, talk(mine, "sim:recall")));
      expect(next.choices[0].message.content).toMatch(at === 0 ? /pears/ : /plums/);
      expect(next.choices[0].message.content).not.toMatch(at === 0 ? /plums/ : /pears/);
    }
  },

  "a chat that was deleted is told anew": async ({ kind, start }) => {
    const gateway = await start();
    const dialogue = new Dialogue(gateway);
    await dialogue.say("apples");
    await dialogue.say("pears");
    const [chat = ""] = await protocols[kind].chats(gateway.simulator);
    await protocols[kind].deleteChat(gateway.simulator, chat);
    expect(await dialogue.say("sim:recall")).toMatch(/apples.*pears/);
    const asked = protocols[kind].asked(gateway);
    expect(asked.map(({ chat: at }) => at === chat).slice(-2)).toEqual([true, false]);
    await dialogue.say("plums");
    expect(protocols[kind].asked(gateway).at(-1)?.text).toBe("plums");
  },

  "a file arrives byte for byte": async ({ kind, start }) => {
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
      const response = await post(gateway, { model: "kimi", messages: [{ role: "user", content }] });
      expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
      const checksum = createHash("sha256").update(bytes).digest("hex");
      const sent = { name, contentType: type, size: bytes.length, checksum };
      expect(protocols[kind].uploads(gateway).at(-1)).toMatchObject(sent);
    }
  },

  "a file that Kimi cannot read is refused with its place": async ({ start }) => {
    const gateway = await start();
    const file = { filename: "unparsable.pdf", file_data: "data:application/pdf;base64,JVBERg==" };
    const content = [
      { type: "text", text: "What is it?" },
      { type: "file", file },
    ];
    const response = await post(gateway, { model: "kimi", messages: [{ role: "user", content }] });
    expect((await answerOf(response)).error).toMatchObject({
      code: "file_rejected",
      param: "messages[0].content[1]",
    });
    expect(gateway.simulator.counts().chats).toBe(0);
  },

  "unknown events are counted and change nothing": async ({ start }) => {
    const gateway = await start();
    gateway.simulator.fault({ kind: "unknown" });
    expect(textOf(await streamed(gateway, "sim:repeat=12"))).toBe("1 2 3 4 5 6 7 8 9 10 11 12 ");
    expect(gateway.drift.entries().length).toBeGreaterThan(3);
  },

  "bytes in any pieces are the same answer": async ({ start }) => {
    const gateway = await start();
    const plain = textOf(await streamed(gateway, "sim:unicode"));
    for (const bytes of [1, 2, 3, 7]) {
      gateway.simulator.fault({ kind: "split", bytes });
      expect(textOf(await streamed(gateway, "sim:unicode"))).toBe(plain);
    }
  },

  "an ephemeral chat is deleted, however it ended": async ({ kind, start }) => {
    const gateway = await start({ chats: { mode: "ephemeral" } });
    await post(gateway, asking("one"));
    gateway.simulator.fault({ kind: "cut", after: 1 });
    await post(gateway, asking("two"));
    expect(gateway.simulator.counts().chats).toBe(2);
    await expect.poll(() => protocols[kind].chats(gateway.simulator)).toEqual([]);
  },
};

/** For what an upstream does not have. */
class NotApplicable extends Error {}

const results = new Map<string, Record<Kind, string>>();

describe.each(kinds)("%s", (kind) => {
  const start: Upstream["start"] = (options) => startGateway({ kind, ...options });

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

const answerOf = async (response: Response) => JSON.parse(await response.text());

async function streamed(gateway: Gateway, text: string) {
  return chunksOf(await (await post(gateway, asking(text, { stream: true }))).text());
}

function talk(before: readonly object[], content: string) {
  return { model: "kimi", messages: [...before, { role: "user", content }] };
}

function renewals({ simulator }: Gateway): number {
  const { refreshes, legacyRefreshes } = simulator.counts();
  return refreshes + legacyRefreshes;
}
