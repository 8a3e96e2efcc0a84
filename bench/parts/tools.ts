import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { familyNames } from "../../simulator/taught-model/call-families.js";
import { type Bench, stopRows } from "../bench.js";
import { cpuPerDelta } from "../comparison.js";
import { apiKey } from "../load.js";
import { startNode } from "../rows.js";
import { format, median, type Table } from "../table.js";

const text = { type: "string" };
const functions = [
  fn("read_file", { path: text, limit: { type: "integer" } }, ["path"]),
  fn("save_note", { path: text, text, tags: { type: "array", items: text } }, ["path", "text"]),
  fn("run", { command: text, seconds: { type: "number" } }, ["command"]),
];

function fn(name: string, properties: object, required: string[]) {
  const parameters = { type: "object", properties, required };
  return { type: "function", function: { name, description: `Does ${name}.`, parameters } };
}

/** What the reading of calls costs a delta of prose, and how right the calls of the simulator's model come out. */
export async function tools(bench: Bench): Promise<Table[]> {
  return [await cost(bench), await accuracy(bench)];
}

async function cost(bench: Bench): Promise<Table> {
  const [row] = await bench.startRows(bench.rows.filter(({ isMain }) => isMain));
  const messages = [{ role: "user", content: "SPEC" }];
  const body = (extra: object) => JSON.stringify({ model: "kimi", stream: true, messages, ...extra });
  const load = { streams: 100, pace: 20, rampUp: 3_000, deltas: 1_500 };
  const figures: { off: number; on: number }[] = [];
  for (let round = 0; row && round < bench.settings.rounds; round++) {
    const off = await bench.measure(row, { ...load, body: body({}) });
    const on = await bench.measure(row, { ...load, body: body({ tools: functions }) });
    figures.push({ off: cpuPerDelta(off), on: cpuPerDelta(on) });
  }
  await stopRows(row ? [row] : []);
  return {
    title: "Functions: 100 paced streams of prose, 1,500 deltas an answer",
    columns: ["CPU per delta without functions, µs", "with functions, µs", "ratio"],
    rows: [
      [
        format(median(figures.map(({ off }) => off))),
        format(median(figures.map(({ on }) => on))),
        format(median(figures.map(({ off, on }) => on / off))),
      ],
    ],
    notes: bench.takeNotes(),
  };
}

const faults = [
  "trailing-comma",
  "raw-newline",
  "smart-quotes",
  "no-tag-end",
  "number-strings",
  "unknown-tool",
];
const call = 'sim:call save_note {"path":"a.txt","text":"It\'s \\"C:\\\\x\\" \\n","tags":["a"]}';
const prompts: readonly [prompt: string, isCall: boolean][] = [
  ...familyNames.map((family): [string, boolean] => [`sim:family=${family}\n${call}`, true]),
  ...faults.map((fault): [string, boolean] => [`sim:tool-fault=${fault}\n${call}`, true]),
  ...[
    "hello",
    'sim:say={"name":"run","arguments":{"command":"ls"}}',
    "sim:say=functions.run:0",
    "sim:repeat=20",
  ].map((prompt): [string, boolean] => [prompt, false]),
];

/** The measures of MoonshotAI's vendor verifier: F1 of the decision to call, and calls whose arguments fit their schema. */
async function accuracy({ context }: Bench): Promise<Table> {
  const folder = mkdtempSync(join(context.folder, "tools-"));
  const upstreams = [{ name: "simulator", kind: "simulator" }];
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ token: apiKey, server: { port: 0 }, upstreams }),
  );
  const { port, process } = await startNode(
    [join(import.meta.dirname, "../../src/cli/main.js"), "serve"],
    folder,
  );
  const counts = { right: 0, missed: 0, surplus: 0, calls: 0, valid: 0 };
  for (const stream of [true, false])
    for (const [prompt, isCall] of prompts) {
      const calls = await ask(port, `${prompt}\n(${stream})`, stream);
      if (calls.length > 0) counts[isCall ? "right" : "surplus"]++;
      else if (isCall) counts.missed++;
      counts.calls += calls.length;
      counts.valid += calls.filter(isValid).length;
    }
  await process.stop();
  const { right, missed, surplus, calls, valid } = counts;
  return {
    title: "Functions: calls of the simulator's model, in eight forms and with six mistakes",
    columns: ["requests", "trigger F1", "schema accuracy"],
    rows: [
      [`${prompts.length * 2}`, format((2 * right) / (2 * right + missed + surplus)), format(valid / calls)],
    ],
    notes: [],
  };
}

type Call = { name: string; arguments: string };
type Delta = { tool_calls?: { index: number; function: Partial<Call> }[] };
type Answer = { choices: { delta?: Delta; message?: Delta }[] };

async function ask(port: number, content: string, stream: boolean): Promise<Call[]> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "kimi", stream, tools: functions, messages: [{ role: "user", content }] }),
  });
  const body = await response.text();
  const data = stream ? body.split("\n").filter((line) => line.startsWith("data: {")) : [`data: ${body}`];
  const calls: Call[] = [];
  for (const line of data) {
    const answer = JSON.parse(line.slice("data: ".length)) as Answer;
    const { tool_calls = [] } = answer.choices[0]?.delta ?? answer.choices[0]?.message ?? {};
    for (const [position, { index = position, function: part }] of tool_calls.entries()) {
      calls[index] ??= { name: "", arguments: "" };
      calls[index].name += part.name ?? "";
      calls[index].arguments += part.arguments ?? "";
    }
  }
  return calls;
}

function isValid({ name, arguments: json }: Call): boolean {
  const declared = functions.find((each) => each.function.name === name);
  return declared !== undefined && new Ajv2020().validate(declared.function.parameters, JSON.parse(json));
}
