import type { Socket } from "node:net";
import { now } from "../clock.js";

/** An answer on its way: its chunks, one each `pace` milliseconds. */
export type PacedAnswer = {
  socket: Socket;
  chunks: readonly Buffer[];
  /** Sent right after the last chunk. */
  end: Buffer;
  pace: number;
  /** Where the time of sending each chunk is noted. */
  sent: Float64Array | undefined;
};

type Running = PacedAnswer & { next: number; dueAt: number };

/** Sends paced answers, looking once a millisecond which are due: one timer for thousands of streams. */
export class Pacer {
  readonly #running = new Set<Running>();
  #timer: NodeJS.Timeout | undefined;

  /** Takes over an answer whose first chunk has just been sent. */
  add(answer: PacedAnswer): void {
    const running = { ...answer, next: 1, dueAt: now() + answer.pace };
    this.#running.add(running);
    answer.socket.once("close", () => this.#running.delete(running));
    this.#timer ??= setInterval(() => this.#tick(), 1);
  }

  #tick(): void {
    const time = now();
    for (const answer of this.#running) {
      if (answer.dueAt > time) continue;
      const chunk = answer.chunks[answer.next];
      if (chunk === undefined) {
        answer.socket.write(answer.end);
        this.#running.delete(answer);
        continue;
      }
      if (answer.sent) answer.sent[answer.next] = now();
      answer.socket.write(chunk);
      answer.next++;
      answer.dueAt += answer.pace;
    }
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
