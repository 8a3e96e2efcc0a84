import { expect, test } from "vitest";
import type { Step } from "../../../simulator/index.js";
import { Dialogue, sentTurns } from "../../conversations/dialogue.js";
import { type KimiKind, postChat, startGateway, waitUntil } from "../../gateway.js";
import { readNote } from "./example-tools.js";

const { name, description = "", parameters } = readNote;
const tools = [{ type: "function", function: { name, description, parameters } }];
/** A call that takes the model a minute; the beginning of a long one leaves at once, that of a short one is held. */
function endlessCall({ text }: { text: string }): Step[] | undefined {
  const [, form] = /^(?:user: )?(long|short) \d/m.exec(text) ?? [];
  const word = /<call-(\w{4})>/.exec(text)?.[1];
  if (form === undefined) return undefined;
  const beginning = `<call-${word}>{"name":"read_note","arguments":{"path":"`;
  return [
    {
      do: "text",
      content: [
        "I read the note that you have asked me for.\n",
        beginning + "x".repeat(form === "long" ? 5_000 : 0),
      ],
    },
    { do: "pace", milliseconds: 20 },
    { do: "text", content: Array.from({ length: 3_000 }, () => "abc") },
  ];
}

const conversations = 25;

test.each<[KimiKind, clients: number]>([
  ["kimi-web", 1_000],
  ["kimi-legacy", 200],
])(
  "on %s %i clients that leave in the middle of a call leave no stream, slot, claim, timer or listener",
  async (kind, clients) => {
    const gateway = await startGateway({
      kind,
      concurrency: conversations,
      simulator: { legacyConcurrency: 99, script: endlessCall },
    });
    const dialogues = Array.from({ length: conversations }, () => new Dialogue(gateway));
    await Promise.all(dialogues.map((dialogue, index) => dialogue.send(`Hello ${index}`, { tools })));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = countResources();
    const parents = sentTurns(gateway).length;
    await Promise.all(
      dialogues.map(async ({ history }, index) => {
        for (let round = 0; round < clients / conversations; round++) {
          const client = new AbortController();
          const content = `${round % 2 === 0 ? "long" : "short"} ${round}`;
          const stream = round % 4 < 2;
          const body = { model: "kimi", messages: [...history, { role: "user", content }], tools, stream };
          const leave = () => setTimeout(() => client.abort(), (index * 7 + round * 13) % 20);
          // A stream is left in its call; without one, the time in which the call begins has to be waited for.
          if (!stream) setTimeout(leave, 200);
          await postChat(gateway, body, { signal: client.signal })
            .then(async ({ body }) => {
              for await (const _ of body ?? []) leave();
            })
            .catch(() => {});
          expect(client.signal.aborted).toBe(true);
        }
      }),
    );
    await waitUntil(() => gateway.simulator.counts().openStreams === 0);
    const interrupted = gateway.simulator.calls.filter(({ closedByClient }) => closedByClient);
    expect(interrupted.length).toBeGreaterThan(clients / 2);
    // As many as the account has slots, at the same time, each after its own greeting.
    const last = sentTurns(gateway).length;
    await Promise.all(dialogues.map((dialogue) => dialogue.send("Still there?", { tools })));
    if (kind === "kimi-web") {
      const turns = sentTurns(gateway);
      const opened = new Set(turns.slice(parents).map(({ chatId }) => chatId));
      expect(opened.has(undefined)).toBe(false);
      expect(new Set(turns.slice(last).map(({ parentId }) => parentId)).size).toBe(conversations);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = countResources();
    expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
    expect(after.listeners).toBeLessThanOrEqual(before.listeners);
    expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
  },
  120_000,
);

/** Timers and listeners of this process while no request is active. */
function countResources() {
  return {
    timers: process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length,
    listeners: process.listenerCount("warning") + process.listenerCount("SIGTERM"),
  };
}
