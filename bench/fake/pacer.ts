import type { Socket } from "node:net";
import { now } from "../clock.js";

/** An answer that is being sent: one of its chunks every `pace` milliseconds. */
export type PacedAnswer = {
  socket: Socket;
  chunks: readonly Buffer[];
  /** Sent after the last chunk. */
  end: Buffer;
  pace: number;
  /** The send time of each chunk is written into it (`clock.ts`); undefined if they are not recorded. */
  sendTimes: Float64Array | undefined;
};

/** `nextIndex`: the next chunk to send; `dueAt`: when it is due (`clock.ts`). */
type ActiveAnswer = PacedAnswer & { nextIndex: number; dueAt: number };

/** Sends the chunks of paced answers when they are due. All answers share one timer, which runs every millisecond. */
export class Pacer {
  readonly #active = new Set<ActiveAnswer>();
  #timer: NodeJS.Timeout | undefined;

  /** Adds an answer. The caller has sent its first chunk already. */
  add(answer: PacedAnswer): void {
    const active = { ...answer, nextIndex: 1, dueAt: now() + answer.pace };
    this.#active.add(active);
    answer.socket.once("close", () => this.#active.delete(active));
    this.#timer ??= setInterval(() => this.#tick(), 1);
  }

  #tick(): void {
    const time = now();
    for (const answer of this.#active) {
      if (answer.dueAt > time) continue;
      const chunk = answer.chunks[answer.nextIndex];
      if (chunk === undefined) {
        answer.socket.write(answer.end);
        this.#active.delete(answer);
        continue;
      }
      if (answer.sendTimes) answer.sendTimes[answer.nextIndex] = now();
      answer.socket.write(chunk);
      answer.nextIndex++;
      answer.dueAt += answer.pace;
    }
    if (this.#active.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
