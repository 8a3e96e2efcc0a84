import { text } from "node:stream/consumers";
import { answerText, formatSpec } from "../answer.js";
import { type Bench, stopRows } from "../bench.js";
import { cpuPerAnswer } from "../comparison.js";
import { Load, post } from "../load.js";
import type { RunningRow } from "../rows.js";
import { format, median, type Table } from "../table.js";
import type { UpstreamCounts } from "../upstream.js";

const answer = { pace: 0, deltas: 8 };

/** The cost of a turn as its conversation and as the store grow. */
export async function growth(bench: Bench): Promise<Table[]> {
  const running = await bench.startRows(bench.rows.filter(({ isMain }) => isMain));
  const rows: string[][] = [];
  const measureTurns = async (size: string, turns: number) => {
    const costs = new Map<RunningRow, number[]>(running.map((row) => [row, []]));
    const before = await readCounts(bench);
    for (let round = 0; round < bench.settings.rounds; round++) {
      for (const [row, measured] of costs) {
        const body = await holdConversation(row, turns);
        // One client, so that each turn finds its chat free to continue.
        measured.push(cpuPerAnswer(await bench.measure(row, { ...answer, streams: 1, rampUp: 0, body })));
      }
    }
    const after = await readCounts(bench);
    const continued = format(((after.continued - before.continued) / (after.answers - before.answers)) * 100);
    for (const [row, measured] of costs) rows.push([size, row.name, format(median(measured)), continued]);
  };
  for (const turns of [1, 10, 100]) await measureTurns(`${turns} turns`, turns);
  let stored = 0;
  for (const conversations of [2_000, 20_000]) {
    for (const row of running) await addConversations(bench, row, conversations - stored);
    stored = conversations;
    await measureTurns(`1 turn, ${format(conversations)} conversations stored`, 1);
  }
  await stopRows(running);
  const title = "Growth: turns of one conversation (800 characters each), and conversations in the store";
  const columns = ["size", "row", "CPU per request, µs", "continued in their chat, %"];
  return [{ title, columns, rows, notes: bench.takeNotes() }];
}

async function readCounts({ context }: Bench): Promise<UpstreamCounts> {
  return (await fetch(`http://127.0.0.1:${context.upstream.port}/counts`)).json() as Promise<UpstreamCounts>;
}

/** Has the last but one of `turns` turns answered. Returns the body of a request for the last one. */
async function holdConversation(row: RunningRow, turns: number): Promise<string> {
  const sentence = "A message of a conversation, long enough to be one. ".repeat(8).slice(0, 400);
  const messages = Array.from({ length: turns * 2 - 1 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `${index} ${sentence}${index === turns * 2 - 2 ? formatSpec(answer, 0) : ""}`,
  }));
  const body = () => JSON.stringify({ model: "kimi", stream: true, messages });
  await text(await post(row, body()));
  messages.push({ role: "assistant", content: answerText(answer.deltas) }, { role: "user", content: "SPEC" });
  return body();
}

/** Has this many new conversations of one turn answered. */
async function addConversations(bench: Bench, row: RunningRow, count: number): Promise<void> {
  const load = new Load(row, { ...answer, streams: 50, rampUp: 0 });
  let answers = 0;
  while (answers < count) answers += (await bench.observe(row, load, 0.5)).answers;
  await load.stop({ abort: false });
}
