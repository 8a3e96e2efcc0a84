import { setTimeout } from "node:timers/promises";
import type { Running } from "./candidates/candidate.js";
import type { LoopReport } from "./gateway-preload.js";
import type { Mark, Outcome, Work } from "./load/work.js";
import { cpuOf, machineCpu, memoryOf } from "./proc.js";
import type { Stage } from "./stage.js";

export type WindowOptions = {
  work: Work;
  /** Seconds between the start of the last stream and the window. */
  settle: number;
  seconds: number;
  /** Whether answers are cut at the end instead of heard out. */
  cut?: boolean;
};

/** What was seen through one window of time. Times in milliseconds, memory in bytes. */
export type Window = {
  seconds: number;
  answers: number;
  deltas: number;
  wrong: number;
  complaint: string | undefined;
  /** Processor time of the candidate, and the share of one processor that others took. */
  cpu: number;
  fakeShare: number;
  loadShare: number;
  foreignShare: number;
  memory: number;
  /** From the request to the first delta, of answers that were asked for in the window. */
  firstDeltas: number[];
  /** From the upstream's write to the client's read. */
  delays: number[];
  /** Of the candidate's event loop, where it tells. */
  loop: LoopReport | undefined;
};

type Snapshot = { mark: Mark; candidate: number; fake: number; load: number; self: number; machine: number };

/** Runs the work through the candidate and looks at it through a window once it runs evenly. */
export async function lookThrough(stage: Stage, running: Running, options: WindowOptions): Promise<Window> {
  const { work, settle, seconds, cut = false } = options;
  if (work.record) await stage.fake.call("record");
  await stage.load.call("begin", work);
  await setTimeout(work.stagger + settle * 1_000);
  if (running.watched) await running.child?.call("watch");
  const before = await snapshot(stage, running);
  await setTimeout(seconds * 1_000);
  const after = await snapshot(stage, running);
  const loop = running.watched ? await running.child?.call<LoopReport>("report") : undefined;
  const memory = memoryOf(running.child?.pids ?? []);
  const outcome = await stage.load.call<Outcome>("end", { cut });
  const sent = work.record ? await stage.fake.call<Map<number, Float64Array>>("recorded") : new Map();

  const elapsed = after.mark.at - before.mark.at;
  const used = (who: "candidate" | "fake" | "load" | "self" | "machine") => after[who] - before[who];
  const ours = used("candidate") + used("fake") + used("load") + used("self");
  return {
    seconds: elapsed / 1_000,
    answers: after.mark.answers - before.mark.answers,
    deltas: after.mark.deltas - before.mark.deltas,
    wrong: outcome.wrong,
    complaint: outcome.complaint,
    cpu: used("candidate"),
    fakeShare: used("fake") / elapsed,
    loadShare: used("load") / elapsed,
    foreignShare: Math.max(0, used("machine") - ours) / elapsed,
    memory,
    loop,
    ...latencies(outcome, sent, before.mark.at, after.mark.at),
  };
}

async function snapshot({ load, fake }: Stage, { child }: Running): Promise<Snapshot> {
  const mark = await load.call<Mark>("mark");
  return {
    mark,
    candidate: cpuOf(child?.pids ?? []),
    fake: cpuOf(fake.pids),
    load: cpuOf(load.pids),
    self: cpuOf([process.pid]),
    machine: machineCpu(),
  };
}

function latencies(
  { arrivals }: Outcome,
  sent: ReadonlyMap<number, Float64Array>,
  from: number,
  to: number,
): Pick<Window, "firstDeltas" | "delays"> {
  const firstDeltas: number[] = [];
  const delays: number[] = [];
  for (const { number, askedAt, at } of arrivals) {
    if (askedAt >= from && askedAt < to) firstDeltas.push((at[0] ?? Number.NaN) - askedAt);
    const times = sent.get(number);
    if (!times) continue;
    at.forEach((time, index) => {
      if (time >= from && time < to) delays.push(time - (times[index] ?? Number.NaN));
    });
  }
  return { firstDeltas, delays };
}
