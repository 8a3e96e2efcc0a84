import { setTimeout } from "node:timers/promises";
import { limits } from "../../src/core/limits.js";
import { candidatesFor } from "../candidates/all.js";
import { type Running, Skipped } from "../candidates/candidate.js";
import { noGateway } from "../candidates/relays.js";
import type { Mark, Outcome, Work } from "../load/work.js";
import { cpuOf, memoryOf } from "../proc.js";
import { figure } from "../report/table.js";
import { wrongAnswers } from "../rounds.js";
import type { Settings } from "../settings.js";
import type { Stage } from "../stage.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

const pace = 1_000;

type Held = { before: number; during: number; after: number; open: number; share: number; outcome: Outcome };

/** What an open stream costs: thousands held open, a delta a second on each. */
export const memory: Part = async (stage, settings) => {
  const rows: string[][] = [];
  const notes: string[] = [];
  const data: Record<string, Held> = {};
  for (const candidate of candidatesFor(settings).filter(({ name }) => name !== noGateway.name)) {
    for (const streams of settings.openStreams) {
      const running = await candidate.start(stage).catch((error: unknown) => {
        if (!(error instanceof Skipped)) throw error;
        notes.push(`- ${candidate.name}: ${error.message}.`);
        return undefined;
      });
      if (!running) break;
      const held = await hold(stage, settings, running, streams);
      await running.child?.stop();
      process.stderr.write(".");
      data[`${candidate.name}, ${streams}`] = held;
      const { before, during, after, open, share, outcome } = held;
      notes.push(...wrongAnswers(candidate.name, outcome.wrong, outcome.complaint));
      rows.push([
        candidate.name,
        figure(open),
        figure((during - before) / open / 1_024),
        [before, during, after].map((bytes) => figure(bytes / 1e6)).join(" / "),
        `${figure((after / before - 1) * 100)} %`,
        figure(share * 100),
      ]);
    }
  }
  return {
    data,
    table: {
      title: "Memory: streams held open, a delta a second on each",
      columns: [
        "candidate",
        "streams",
        "KB a stream",
        "MB before / during / after",
        "after over before",
        "CPU, %",
      ],
      rows,
      notes,
    },
  };
};

async function hold(stage: Stage, settings: Settings, running: Running, streams: number): Promise<Held> {
  const pids = () => running.child?.pids ?? [];
  const target = running.streams;
  const stagger = settings.quick ? 500 : streams * 2;
  const seconds = stagger / 1_000 + settings.holdSeconds;
  await stage.load.call("begin", warmUp(running));
  await setTimeout(settings.warmSeconds * 1_000);
  await stage.load.call("end", { cut: false });
  await setTimeout(settings.quick ? 500 : 5_000);

  const before = memoryOf(pids());
  const work: Work = {
    target,
    streams,
    pace,
    deltas: Math.ceil(seconds) + 2,
    rest: 0,
    stagger,
    record: false,
  };
  await stage.load.call("begin", work);
  await setTimeout(stagger + (settings.holdSeconds * 1_000) / 2);
  const [cpu, since] = [cpuOf(pids()), performance.now()];
  const samples: number[] = [];
  for (let sample = 0; sample < 5; sample++) {
    await setTimeout((settings.holdSeconds * 1_000) / 10);
    samples.push(memoryOf(pids()));
  }
  const share = (cpuOf(pids()) - cpu) / (performance.now() - since);
  const { open } = await stage.load.call<Mark>("mark");
  const outcome = await stage.load.call<Outcome>("end", { cut: false });
  // Until a gateway at rest has given back what it can; a quick look does not wait for that.
  await setTimeout(settings.quick ? 1_000 : limits.restBeforeCollecting + 4 * limits.collectAtRest);
  return { before, during: median(samples), after: memoryOf(pids()), open, share, outcome };
}

/** Code is compiled and pools are there before memory is looked at. */
function warmUp({ streams: target }: Running): Work {
  return { target, streams: 50, pace: 0, deltas: 50, rest: 20, stagger: 500, record: false };
}
