import { setTimeout as sleep } from "node:timers/promises";
import type { Wire } from "./response-writer.js";
import { deltas, type Ending, isEnding, type MessageStatus, type Step, type StepOf } from "./steps.js";

/** One answer in the words of a protocol: puts what happens on the wire, remembers what was said, and never waits. */
export type Teller = {
  /** What comes before the first word. */
  open(): void;
  delta(kind: "think" | "text", delta: string): void;
  /** Yields after each of its frames. */
  search(step: StepOf<"search">): Iterable<void>;
  rewrite(content: string): void;
  except(step: StepOf<"exception">): void;
  notify(step: StepOf<"notification">): void;
  heartbeat(): void;
  name(given: string | undefined): void;
  raw(frame: StepOf<"raw">["frame"]): void;
  end(status: MessageStatus): void;
  fail(ending: StepOf<"error-trailer">): void;
  /** A frame that belongs to the answer, for whoever wants to break it. */
  spare(): Buffer;
  /** Leaves in the chat what was said, whatever became of the stream. */
  remember(): void;
};

/** All that one answer plays with. */
export type Scene = {
  wire: Wire;
  telling: Teller;
  /** Milliseconds between deltas. */
  pace: number;
  /** Aborted with "cancelled" by CancelChat, with anything else when nobody listens any more. */
  stop: AbortSignal;
};

/** Plays an answer with the event sequences of kimi-web.md §5, until its ending or until it is stopped. */
export async function play(scene: Scene, steps: readonly Step[]): Promise<void> {
  const { wire, telling, stop } = scene;
  const player = new Player(scene);
  try {
    telling.open();
    await wire.flush();
    await player.play(steps);
  } catch (error) {
    if (!stop.aborted) throw error;
    if (stop.reason === "cancelled") {
      telling.end("CANCELLED");
      await wire.end();
    }
  } finally {
    telling.remember();
  }
}

/** Takes the steps one by one at their pace. */
class Player {
  readonly #scene: Scene;
  readonly #telling: Teller;
  #pace: number;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#telling = scene.telling;
    this.#pace = scene.pace;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#scene.stop.throwIfAborted();
      if (isEnding(step)) return this.#end(step);
      await this.#take(step);
    }
    await this.#end({ do: "end" });
  }

  async #take(step: Exclude<Step, Ending>): Promise<void> {
    const telling = this.#telling;
    switch (step.do) {
      case "think":
      case "text":
        for (const delta of deltas(step.content)) {
          telling.delta(step.do, delta);
          await this.#sent();
        }
        return;
      case "search":
        for (const _ of telling.search(step)) await this.#sent();
        return;
      case "wait":
        await this.#scene.wire.flush();
        await sleep(step.milliseconds, undefined, { signal: this.#scene.stop });
        return;
      case "pace":
        this.#pace = step.milliseconds;
        return;
      default:
        this.#tell(step);
        await this.#sent();
    }
  }

  /** The steps of a single frame. */
  #tell(step: Exclude<Step, Ending | { do: "think" | "text" | "search" | "wait" | "pace" }>): void {
    const telling = this.#telling;
    switch (step.do) {
      case "rewrite":
        telling.rewrite(step.content);
        break;
      case "exception":
        telling.except(step);
        break;
      case "notification":
        telling.notify(step);
        break;
      case "heartbeat":
        telling.heartbeat();
        break;
      case "name":
        telling.name(step.name);
        break;
      case "raw":
        telling.raw(step.frame);
        break;
      case "bytes":
        this.#scene.wire.bytes(step.bytes);
        break;
    }
  }

  async #end(ending: Ending): Promise<void> {
    const { wire } = this.#scene;
    switch (ending.do) {
      case "end":
        this.#telling.end(ending.status ?? "COMPLETED");
        return wire.end();
      case "truncated":
        this.#telling.end("TRUNCATED");
        return wire.end();
      case "error-trailer":
        this.#telling.fail(ending);
        return wire.end();
      case "cut-in-frame":
        wire.bytes(firstHalf(this.#telling.spare()));
        return wire.cut();
      case "cut":
        return wire.cut();
      case "no-trailer":
        return wire.end();
      case "stall":
        return this.#stall();
      case "stall-heartbeat":
        return this.#heartbeats(ending.everyMilliseconds ?? 1_000);
    }
  }

  /** Lets the frames go and keeps the pace; an unpaced answer gathers them into larger writes. */
  async #sent(): Promise<void> {
    const { wire, stop } = this.#scene;
    if (this.#pace > 0) {
      await wire.flush();
      await sleep(this.#pace, undefined, { signal: stop });
    } else if (wire.full) await wire.flush();
    stop.throwIfAborted();
  }

  /** Returns only by being stopped. */
  async #stall(): Promise<void> {
    const { wire, stop } = this.#scene;
    await wire.flush();
    stop.throwIfAborted();
    await new Promise((_, reject) => {
      stop.addEventListener("abort", () => reject(stop.reason), { once: true });
    });
  }

  async #heartbeats(everyMilliseconds: number): Promise<never> {
    const { wire, stop } = this.#scene;
    for (;;) {
      await wire.flush();
      await sleep(Math.max(1, everyMilliseconds), undefined, { signal: stop });
      this.#telling.heartbeat();
    }
  }
}

function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}
