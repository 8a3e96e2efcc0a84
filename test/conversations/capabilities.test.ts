import { describe, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.js";
import { Dialogue, sentTurns } from "./dialogue.js";
import { changedCapabilities, startMeasured } from "./measured-account.js";

const withRecall = (word: string) => `${word} sim:recall`;

/** Edits in the middle, repeats and goes on: each answer must recall exactly the questions before it. */
async function editAndRegenerate(gateway: Gateway): Promise<void> {
  const dialogue = new Dialogue(gateway);
  const expectRecall = async (question: string) => {
    const answer = await dialogue.send(withRecall(question));
    const words = (text: string) => [...new Set(text.match(/\bq\d+\b/g))];
    expect(words(answer)).toEqual(dialogue.userMessages().slice(0, -1).flatMap(words));
  };
  for (const question of ["q1", "q2", "q3", "q4"]) await expectRecall(question);
  for (const [turn, question] of [
    [2, "q5"],
    [2, "q5"],
    [1, "q6"],
  ] as const) {
    dialogue.rewindTo(turn);
    await expectRecall(question);
  }
  await expectRecall("q7");
}

const chatsOf = (gateway: Gateway) => sentTurns(gateway).filter(({ chatId }) => chatId === undefined).length;

describe("an older answer as parent", () => {
  test("where Kimi takes it, edits stay in their chat", async () => {
    const gateway = await startGateway();
    await editAndRegenerate(gateway);
    expect(chatsOf(gateway)).toBe(1);
    expect(await changedCapabilities(gateway)).toEqual([]);
  });

  test("where it is known to be no parent, each edit begins a chat", async () => {
    const gateway = await startMeasured({ "old-parent": false }, { without: ["old-parent"] });
    await editAndRegenerate(gateway);
    expect(chatsOf(gateway)).toBe(4);
    expect(gateway.drift.entries()).toEqual([]);
  });

  test.each(["old-parent", "old-parent-accepted"] as const)(
    "where Kimi does otherwise (%s), it is turned off at the first edit, which is answered in a new chat",
    async (name) => {
      const gateway = await startGateway({ simulator: { without: [name] } });
      await editAndRegenerate(gateway);
      expect(chatsOf(gateway)).toBe(4);
      // The first edit was sent to the old chat first.
      expect(sentTurns(gateway)).toHaveLength(9);
      expect(await changedCapabilities(gateway)).toEqual([
        { name: "old-parent", value: false, source: "use", changed_at: expect.stringMatching(/^20/) },
      ]);
      expect(gateway.drift.entries()).toEqual([{ kind: "capability", name: "old-parent", count: 1 }]);
    },
  );

  test("what was found out outlives the process, and is another account's where another logs in", async () => {
    const gateway = await startGateway({ simulator: { without: ["old-parent"] } });
    await editAndRegenerate(gateway);
    const reopened = (tokens: object) =>
      gateway.replaceUpstreams(gateway.config.upstreams.map((each) => ({ ...each, ...tokens })));
    await reopened({ concurrency: 9 });
    expect(await changedCapabilities(gateway)).toHaveLength(1);
    await reopened({ ...gateway.simulator.issue({ user: "somebody-else" }), name: "other" });
    expect(await changedCapabilities(gateway)).toEqual([]);
  });

  test("a message that is refused for another reason does not turn it off", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    await dialogue.send("two");
    dialogue.rewindTo(1);
    gateway.simulator.fault({ kind: "error", code: "invalid_argument" }, 2);
    await expect(dialogue.send("three")).rejects.toThrow();
    expect(await changedCapabilities(gateway)).toEqual([]);
  });
});

describe("the echoed text", () => {
  const oddText = " two  spaces sim:say=ok";

  test("where it differs, is compared no more, and the answers are the same", async () => {
    const gateway = await startGateway({ simulator: { without: ["echo-text"] } });
    const dialogue = new Dialogue(gateway);
    for (const question of ["one sim:say=ok", oddText, oddText])
      expect(await dialogue.send(question)).toBe("ok");
    expect(gateway.drift.entries()).toEqual([
      { kind: "echo", name: "text", count: 1 },
      { kind: "capability", name: "echo-text", count: 1 },
    ]);
    expect(await changedCapabilities(gateway)).toMatchObject([{ name: "echo-text", source: "use" }]);
  });

  test("where it is known to differ, is not compared", async () => {
    const gateway = await startMeasured({ "echo-text": false }, { without: ["echo-text"] });
    const dialogue = new Dialogue(gateway);
    for (const question of ["one sim:say=ok", oddText]) expect(await dialogue.send(question)).toBe("ok");
    expect(gateway.drift.entries()).toEqual([]);
  });
});

describe("a prompt of 450,000 characters", () => {
  const prompt = `${"word ".repeat(85_000)}sim:say=ok`;
  const uploads = ({ simulator }: Gateway) =>
    simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).length;

  test("goes in part as a file, unless the account is known to take it", async () => {
    const gateway = await startGateway();
    expect(await new Dialogue(gateway).send(prompt)).toBe("ok");
    expect(uploads(gateway)).toBe(1);
    const measured = await startMeasured({ "long-prompt": true });
    expect(await new Dialogue(measured).send(prompt)).toBe("ok");
    expect(uploads(measured)).toBe(0);
  });

  test("that is refused goes as a file from then on", async () => {
    const gateway = await startMeasured({ "long-prompt": true }, { without: ["long-prompt"] });
    const longer = `${"word ".repeat(88_900)}sim:say=ok`;
    await expect(new Dialogue(gateway).send(longer)).rejects.toMatchObject({
      code: "context_length_exceeded",
    });
    expect(await new Dialogue(gateway).send(longer)).toBe("ok");
    expect(uploads(gateway)).toBe(1);
    expect(await changedCapabilities(gateway)).toMatchObject([{ name: "long-prompt", value: false }]);
  });
});

describe("a chat that is still stopping", () => {
  async function stopAndGoOn(gateway: Gateway): Promise<void> {
    const dialogue = new Dialogue(gateway);
    await dialogue.send("one");
    const abort = new AbortController();
    const stream = await gateway.client.chat.completions.create(
      {
        model: "kimi",
        messages: [...dialogue.history, { role: "user", content: "sim:repeat=500 sim:slow=20" }],
        stream: true,
      },
      { signal: abort.signal },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    abort.abort();
    while (gateway.simulator.counts().cancels === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await dialogue.send("two sim:recall")).toMatch(/\bone\b/);
  }

  test("longer than is worth waiting for is left at once for a new chat", async () => {
    const gateway = await startMeasured({ "busy-seconds": 60 }, { cancelMilliseconds: 60_000 });
    await stopAndGoOn(gateway);
    expect(chatsOf(gateway)).toBe(2);
    expect(sentTurns(gateway)).toHaveLength(4);
  });

  test("for a second is waited for", async () => {
    const gateway = await startMeasured({ "busy-seconds": 1 }, { cancelMilliseconds: 500 });
    await stopAndGoOn(gateway);
    expect(chatsOf(gateway)).toBe(1);
  });
});

test("tools work whatever is missing", async () => {
  for (const without of ["old-parent", "echo-text", "tool-blocks", "cancelled-parent"] as const) {
    const gateway = await startGateway({ simulator: { without: [without] } });
    const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
    gateway.simulator.faultModel({ kind: "unknown-tool" });
    const answer = await gateway.client.chat.completions.create({
      model: "kimi",
      messages: [{ role: "user", content: 'sim:call weather {"city":"Bern"}' }],
      tools,
    });
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: "weather", arguments: '{"city":"Bern"}' } },
    ]);
  }
});
