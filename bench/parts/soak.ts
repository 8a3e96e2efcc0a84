import { setTimeout } from "node:timers/promises";
import { startGateway, targetOf } from "../candidates/moonbridge.js";
import type { LoopReport } from "../gateway-preload.js";
import type { Mark, Outcome, Work } from "../load/work.js";
import { cpuOf, handlesOf, memoryOf } from "../proc.js";
import { figure } from "../report/table.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

/** The share of one processor that the gateway is meant to be kept at. */
const aim = 0.6;
/** It is set to this many times that: compiled, the code takes less than in the minutes in which the load is set. */
const margin = 1.15;
const pace = 20;
const deltas = 100;
/** Streams in the first minute. */
const atFirst = 100;

/** Minutes that do not count: code is compiled, pools fill, and after each the load is set anew to come to the aim. */
const warmMinutes = 3;

type Sample = {
  minute: number;
  memory: number;
  handles: number;
  resources: number;
  heap: number;
  share: number;
  deltas: number;
};

/** Hours of ordinary work in small: whether memory or handles grow, and whether every byte stays right. */
export const soak: Part = async (stage, { soakMinutes }) => {
  if (soakMinutes <= warmMinutes) throw new Error(`A soak takes more than ${warmMinutes} minutes.`);
  const gateway = await startGateway(stage);
  const { child } = gateway;
  const target = targetOf(gateway.port, "chat", true, { kind: "chunks" });
  const work = (streams: number): Work => ({
    ...{ target, streams, pace, deltas, rest: 5, stagger: pace * deltas, record: false },
  });
  const shareOver = async (milliseconds: number) => {
    const [before, since] = [cpuOf(child.pids), performance.now()];
    await setTimeout(milliseconds);
    return (cpuOf(child.pids) - before) / (performance.now() - since);
  };

  const outcomes: Outcome[] = [];
  let streams = atFirst;
  for (let minute = 0; minute < warmMinutes; minute++) {
    await stage.load.call("begin", work(streams));
    await setTimeout(30_000);
    streams = Math.max(1, Math.round((streams * aim * margin) / (await shareOver(30_000))));
    outcomes.push(await stage.load.call<Outcome>("end", { cut: false }));
    process.stderr.write(".");
  }

  await stage.load.call("begin", work(streams));
  const samples: Sample[] = [];
  const startedAt = performance.now();
  for (let minute = 0.25; minute <= soakMinutes - warmMinutes; minute += 0.25) {
    const share = await shareOver(Math.max(0, startedAt + minute * 60_000 - performance.now()));
    const { resources, heap } = await child.call<LoopReport>("report");
    const { deltas: told } = await stage.load.call<Mark>("mark");
    const handles = child.pids.reduce((sum, pid) => sum + handlesOf(pid), 0);
    samples.push({ minute, memory: memoryOf(child.pids), handles, resources, heap, share, deltas: told });
    if (Number.isInteger(minute)) process.stderr.write(".");
  }
  outcomes.push(await stage.load.call<Outcome>("end", { cut: false }));
  await child.stop();

  const wrong = outcomes.reduce((sum, outcome) => sum + outcome.wrong, 0);
  const answers = outcomes.reduce((sum, outcome) => sum + outcome.answers, 0);
  const complaint = outcomes.find((outcome) => outcome.complaint !== undefined)?.complaint;
  const third = Math.ceil(samples.length / 3);
  const change = (key: "memory" | "heap" | "handles" | "resources", unit: number) => {
    const [first, last] = [samples.slice(0, third), samples.slice(-third)].map((part) =>
      median(part.map((sample) => sample[key] / unit)),
    );
    return `${figure(first ?? Number.NaN)} → ${figure(last ?? Number.NaN)}`;
  };
  return {
    data: { streams, samples, wrong, complaint, answers },
    table: {
      title: `Soak: ${soakMinutes} minutes at ${Math.round(aim * 100)} % of one processor (${streams} streams of ${1_000 / pace} deltas a second)`,
      columns: ["CPU, %", "answers", "wrong", "memory, MB", "heap, MB", "open files", "handles in Node"],
      rows: [
        [
          figure(100 * median(samples.map(({ share }) => share))),
          figure(answers),
          wrong === 0 ? "0" : `**${wrong}** (${complaint?.slice(0, 100)})`,
          change("memory", 1e6),
          change("heap", 1e6),
          change("handles", 1),
          change("resources", 1),
        ],
      ],
      notes: [`- Growth: the median of the first third after ${warmMinutes} minutes → of the last third.`],
    },
  };
};
