import { join } from "node:path";
import { SqliteStore } from "../../src/store/sqlite/store.js";
import { orderLine } from "../answers/order.js";
import { wordsOf } from "../answers/words.js";
import { type Gateway, startGateway, targetOf } from "../candidates/moonbridge.js";
import type { Target } from "../load/work.js";
import { figure } from "../report/table.js";
import type { Settings } from "../settings.js";
import type { Stage } from "../stage.js";
import { lookThrough, type Window } from "../window.js";
import type { Finding, Part } from "./part.js";

const [streams, deltas] = [8, 8];

/** Places that are put into the store in one transaction. */
const together = 2_000;

/** What a request costs as the places that the store remembers grow to a million. */
export const threadGrowth: Part = async (stage, settings) => {
  const folder = stage.room("growth");
  const windows: [string, Window][] = [];
  let filled = 0;
  for (const threads of settings.threads) {
    await fill(join(folder, "moonbridge.db"), filled, threads);
    filled = threads;
    const gateway = await startGateway(stage, "kimi-web", { folder });
    const target = targetOf(gateway.port, "chat", true, { kind: "chunks" });
    windows.push([figure(threads), await look(stage, settings, gateway, target)]);
    await gateway.child.stop();
    process.stderr.write(".");
  }
  return finding("Growth: threads in the store", "threads", windows);
};

/** What a request costs as its conversation grows to a hundred turns. */
export const turnGrowth: Part = async (stage, settings) => {
  const gateway = await startGateway(stage);
  const windows: [string, Window][] = [];
  for (const turns of settings.quick ? [1, 100] : [1, 10, 30, 100]) {
    const target = await conversation(gateway, turns);
    windows.push([figure(turns), await look(stage, settings, gateway, target)]);
    process.stderr.write(".");
  }
  await gateway.child.stop();
  return finding("Growth: turns of a conversation, 400 characters each", "turns", windows);
};

function finding(title: string, what: string, windows: readonly [string, Window][]): Finding {
  return {
    data: Object.fromEntries(
      windows.map(([size, { cpu, answers, seconds, loop }]) => [size, { cpu, answers, seconds, loop }]),
    ),
    table: {
      title,
      columns: [what, "CPU per request, µs", "requests/s", "event loop late p99 / max, ms", "wrong answers"],
      rows: windows.map(([size, { cpu, answers, seconds, loop, wrong }]) => [
        size,
        figure((cpu * 1_000) / answers),
        figure(answers / seconds),
        `${figure(loop?.p99 ?? Number.NaN)} / ${figure(loop?.max ?? Number.NaN)}`,
        String(wrong),
      ]),
      notes: [],
    },
  };
}

function look(stage: Stage, settings: Settings, { child }: Gateway, target: Target): Promise<Window> {
  const running = { child, watched: true, streams: target, whole: undefined };
  const work = { target, streams, deltas, pace: 0, rest: 0, stagger: 100, record: false };
  return lookThrough(stage, running, { work, settle: settings.warmSeconds, seconds: settings.windowSeconds });
}

/** Adds places to a store as turns do: ten of them a chat. */
async function fill(path: string, from: number, to: number): Promise<void> {
  const store = await SqliteStore.open(path);
  const dueAt = Date.now() + 24 * 3_600_000;
  let saving: Promise<void>[] = [];
  for (let number = from; number < to; number++) {
    const chat = { upstream: "kimi", chat: `filled-chat-${Math.floor(number / 10)}` };
    if (number % 10 === 0) saving.push(store.saveChat({ ...chat, scope: "somebody's", dueAt }));
    const key = `filled-key-${String(number).padStart(32, "0")}`;
    saving.push(store.saveThread([key], { ...chat, parent: `filled-message-${number}`, system: "" }));
    if (saving.length < together) continue;
    await Promise.all(saving);
    saving = [];
  }
  await Promise.all(saving);
  await store.close();
}

/** A request that goes on after so many turns; all but the last have been answered by this gateway. */
async function conversation({ port }: Gateway, turns: number): Promise<Target> {
  const said = "A message of a conversation, long enough to be one. ".repeat(8).slice(0, 400);
  const order = orderLine({ number: 0, pace: 0, deltas });
  const history: { role: string; content: string }[] = [];
  for (let turn = 1; turn < turns; turn++) {
    history.push(
      { role: "user", content: `${turn} ${said}` },
      { role: "assistant", content: `${turn} ${said}` },
    );
  }
  // The last turn but one is really asked, so that the place behind it is known.
  history.push({ role: "user", content: `${said} ${order}` });
  const target = targetOf(port, "chat", true, { kind: "chunks" });
  const body = (messages: object[]) => JSON.stringify({ model: "kimi", stream: true, messages });
  const address = `http://127.0.0.1:${port}${target.path}`;
  const response = await fetch(address, { method: "POST", headers: target.headers, body: body(history) });
  await response.text();
  const next = [
    ...history,
    { role: "assistant", content: wordsOf(deltas) },
    { role: "user", content: "<order>" },
  ];
  const [before = "", behind = ""] = body(next).split("<order>");
  return { ...target, body: [before, behind] };
}
