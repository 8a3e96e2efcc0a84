import { setTimeout as sleep } from "node:timers/promises";
import type { ResponseWriter } from "./response-writer.js";
import { type Ending, isEnding, type MessageStatus, type Step, type StepOf, splitDeltas } from "./steps.js";

/**
 * Writes one answer in the encoding of a protocol and collects its content. A frame is a Connect envelope or a server-sent
 * event. All methods are synchronous: they add to the buffer of the response.
 */
export type AnswerWriter = {
  /** The events before the first block. */
  writeOpening(): void;
  writeDelta(kind: "think" | "text", delta: string): void;
  /** Yields after each frame, so that the caller can pause between them. */
  writeSearch(step: StepOf<"search">): Iterable<void>;
  writeRewrite(content: string): void;
  writeException(step: StepOf<"exception">): void;
  writeNotification(step: StepOf<"notification">): void;
  writeHeartbeat(): void;
  /** Names the chat; undefined for a name from the prompt. */
  writeChatName(name: string | undefined): void;
  writeRawFrame(frame: StepOf<"raw">["frame"]): void;
  /** Writes the regular end of an answer. */
  writeEnd(status: MessageStatus): void;
  /** Writes an error as the end of the answer. */
  writeError(ending: StepOf<"error-trailer">): void;
  /** A valid frame of the answer; `cut-in-frame` sends the first half of it. */
  sampleFrame(): Buffer;
  /** Saves the content written so far to the chat, also after a failure. */
  saveToChat(): void;
};

/** What is needed to write one answer. */
export type PlayContext = {
  responseWriter: ResponseWriter;
  answerWriter: AnswerWriter;
  /** Milliseconds between deltas. */
  pace: number;
  /** Milliseconds without other data after which a heartbeat is sent. */
  heartbeatMilliseconds: number;
  /**
   * Aborted with the reason "cancelled" by CancelChat, and with another reason when the simulator closes or, unless
   * `outlivesConnection`, the connection ends.
   */
  stopSignal: AbortSignal;
  /** Whether the model goes on when the connection is lost. */
  outlivesConnection: boolean;
};

/** Writes an answer with the event sequences of kimi-web.md §5, until its ending step or until it is stopped. */
export async function playAnswer(context: PlayContext, steps: readonly Step[]): Promise<void> {
  const { responseWriter, answerWriter, stopSignal } = context;
  const player = new Player(context);
  try {
    answerWriter.writeOpening();
    await responseWriter.flush();
    await player.play(steps);
  } catch (error) {
    if (!stopSignal.aborted) throw error;
    if (stopSignal.reason === "cancelled") {
      answerWriter.writeEnd("CANCELLED");
      await responseWriter.end();
    }
  } finally {
    answerWriter.saveToChat();
  }
}

/** Executes the steps one by one, with a pause after each delta or frame. */
class Player {
  readonly #context: PlayContext;
  readonly #answerWriter: AnswerWriter;
  #pace: number;

  constructor(context: PlayContext) {
    this.#context = context;
    this.#answerWriter = context.answerWriter;
    this.#pace = context.pace;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#context.stopSignal.throwIfAborted();
      if (isEnding(step)) return this.#playEnding(step);
      await this.#playStep(step);
    }
    await this.#playEnding({ do: "end" });
  }

  async #playStep(step: Exclude<Step, Ending>): Promise<void> {
    const answerWriter = this.#answerWriter;
    switch (step.do) {
      case "think":
      case "text":
        for (const delta of splitDeltas(step.content)) {
          answerWriter.writeDelta(step.do, delta);
          await this.#paceFrame();
        }
        return;
      case "search":
        for (const _ of answerWriter.writeSearch(step)) await this.#paceFrame();
        return;
      case "wait":
        await this.#context.responseWriter.flush();
        await this.#sleep(step.milliseconds);
        return;
      case "pace":
        this.#pace = step.milliseconds;
        return;
      default:
        this.#writeStep(step);
        await this.#paceFrame();
    }
  }

  /** Executes a step that writes one frame. */
  #writeStep(step: Exclude<Step, Ending | { do: "think" | "text" | "search" | "wait" | "pace" }>): void {
    const answerWriter = this.#answerWriter;
    switch (step.do) {
      case "rewrite":
        answerWriter.writeRewrite(step.content);
        break;
      case "exception":
        answerWriter.writeException(step);
        break;
      case "notification":
        answerWriter.writeNotification(step);
        break;
      case "heartbeat":
        answerWriter.writeHeartbeat();
        break;
      case "name":
        answerWriter.writeChatName(step.name);
        break;
      case "raw":
        answerWriter.writeRawFrame(step.frame);
        break;
      case "bytes":
        this.#context.responseWriter.writeBytes(step.bytes);
        break;
    }
  }

  async #playEnding(ending: Ending): Promise<void> {
    const { responseWriter } = this.#context;
    switch (ending.do) {
      case "end":
        this.#answerWriter.writeEnd(ending.status ?? "COMPLETED");
        return responseWriter.end();
      case "truncated":
        this.#answerWriter.writeEnd("TRUNCATED");
        return responseWriter.end();
      case "error-trailer":
        this.#answerWriter.writeError(ending);
        await responseWriter.end();
        return ending.unsent && this.#playUnsent(ending.unsent);
      case "cut-in-frame":
        responseWriter.writeBytes(firstHalf(this.#answerWriter.sampleFrame()));
        await responseWriter.cut();
        return this.#playUnsent(ending.unsent);
      case "cut":
        await responseWriter.cut();
        return this.#playUnsent(ending.unsent);
      case "no-trailer":
        await responseWriter.end();
        return this.#playUnsent(ending.unsent);
      case "stall":
        return this.#context.outlivesConnection ? this.#playUnsent(ending.unsent) : this.#stall();
      case "stall-heartbeat":
        return this.#sendHeartbeats(ending.everyMilliseconds ?? 1_000);
    }
  }

  /** The rest of an answer whose connection is lost, if the model goes on. */
  async #playUnsent(unsent: readonly Step[] = []): Promise<void> {
    if (!this.#context.outlivesConnection) return;
    await this.#context.responseWriter.discardRest();
    await this.play(unsent);
  }

  /** Flushes and waits for the pace; without a pace, frames are collected into larger writes. */
  async #paceFrame(): Promise<void> {
    const { responseWriter, stopSignal } = this.#context;
    if (this.#pace > 0) {
      await responseWriter.flush();
      await this.#sleep(this.#pace);
    } else if (responseWriter.shouldFlush) await responseWriter.flush();
    stopSignal.throwIfAborted();
  }

  /** Waits, with heartbeats if it takes long (kimi-web.md §2.5). */
  async #sleep(milliseconds: number): Promise<void> {
    const { responseWriter, stopSignal, heartbeatMilliseconds } = this.#context;
    let remaining = milliseconds;
    for (; remaining > heartbeatMilliseconds; remaining -= heartbeatMilliseconds) {
      await sleep(heartbeatMilliseconds, undefined, { signal: stopSignal });
      this.#answerWriter.writeHeartbeat();
      await responseWriter.flush();
    }
    await sleep(remaining, undefined, { signal: stopSignal });
  }

  /** Rejects when the answer is stopped; never resolves. */
  async #stall(): Promise<void> {
    const { responseWriter, stopSignal } = this.#context;
    await responseWriter.flush();
    stopSignal.throwIfAborted();
    await new Promise((_, reject) => {
      stopSignal.addEventListener("abort", () => reject(stopSignal.reason), { once: true });
    });
  }

  async #sendHeartbeats(everyMilliseconds: number): Promise<never> {
    const { responseWriter, stopSignal } = this.#context;
    for (;;) {
      await responseWriter.flush();
      await sleep(Math.max(1, everyMilliseconds), undefined, { signal: stopSignal });
      this.#answerWriter.writeHeartbeat();
    }
  }
}

function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}
