/** The load client as a process of its own. */
import { answerCalls } from "../calls.js";
import { Slot } from "./slot.js";
import { Tally } from "./tally.js";
import type { Work } from "./work.js";

type Running = { tally: Tally; slots: Slot[]; over: Promise<unknown> };

let running: Running | undefined;

answerCalls({ begin, mark: () => running?.tally.mark(), end });

/** Starts the work; its first requests are spread over `stagger` milliseconds. */
function begin(work: Work): void {
  const tally = new Tally();
  const slots: Slot[] = [];
  const endings: Promise<void>[] = [];
  for (let index = 0; index < work.streams; index++) {
    endings.push(
      new Promise((over) => {
        const slot = new Slot(work, tally, over);
        slots.push(slot);
        setTimeout(() => slot.ask(), (work.stagger * index) / work.streams);
      }),
    );
  }
  running = { tally, slots, over: Promise.all(endings) };
}

/** Ends the work: lets the answers come to their end, or cuts them. */
async function end({ cut }: { cut: boolean }) {
  if (!running) return undefined;
  const { tally, slots, over } = running;
  tally.stopping = true;
  if (cut) for (const slot of slots) slot.cut();
  await over;
  return tally.outcome();
}
