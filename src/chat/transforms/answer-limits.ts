import { limits } from "../../core/limits.js";
import type { AnswerLimits, ChatEvent, EventSink, FinishReason } from "../../core/types.js";
import { cutPosition } from "../../lib/text-chunks.js";
import { estimateTextTokens, maxTokensPerCharacter } from "../token-count.js";
import type { Transform, UpstreamControl } from "./transform.js";

/**
 * Keeps a request's `stop` and `maxTokens` for an upstream that knows neither: the answer ends in front of a stop text, or
 * with the token that reaches the bound, and the upstream is stopped. No turn continues after such an answer. Tokens are
 * estimated, those of the reasoning included; calls of functions are neither counted nor cut.
 */
export class AnswerLimiter implements Transform {
  readonly #limits: AnswerLimits;

  constructor(answerLimits: AnswerLimits) {
    this.#limits = answerLimits;
  }

  events(sink: EventSink, upstream: UpstreamControl): EventSink {
    const answer = new LimitedAnswer(this.#limits);
    return (events) => {
      if (answer.isEnded) return undefined;
      const kept = events.flatMap((event) => answer.read(event));
      if (answer.isCut) upstream.stopWithin(0);
      return kept.length > 0 ? sink(kept) : undefined;
    };
  }
}

/** One answer as far as its limits allow. */
class LimitedAnswer {
  readonly #stop: readonly string[];
  readonly #budget: TokenBudget;
  /** The end of the text so far that may be the beginning of a stop text. */
  #held = "";
  isEnded = false;
  /** Whether it was ended here, not by the upstream. */
  isCut = false;

  constructor({ stop = [], maxTokens }: AnswerLimits) {
    this.#stop = stop;
    this.#budget = new TokenBudget(
      maxTokens === undefined ? Number.POSITIVE_INFINITY : Math.max(maxTokens, limits.minAnswerTokens),
    );
  }

  read(event: ChatEvent): ChatEvent[] {
    if (this.isEnded) return [];
    switch (event.type) {
      case "text":
        return this.#readText(event.text);
      case "reasoning":
        return this.#spend("reasoning", event.text);
      case "finish": {
        const rest = this.#release();
        if (this.isEnded) return rest;
        this.isEnded = true;
        return [...rest, event];
      }
      case "citation":
      case "tool-call":
      case "retract":
        // Their position in the text counts.
        return [...this.#release(), ...(this.isEnded ? [] : [event])];
      default:
        return [event];
    }
  }

  #readText(piece: string): ChatEvent[] {
    if (this.#stop.length === 0) return this.#spend("text", piece);
    const text = this.#held + piece;
    const match = firstMatch(text, this.#stop);
    if (match !== undefined) {
      this.#held = "";
      const kept = this.#spend("text", text.slice(0, match.start));
      return this.isEnded ? kept : [...kept, this.#cut("stop", match.stop)];
    }
    const heldLength = Math.max(...this.#stop.map((stop) => beginningAtEnd(text, stop)));
    this.#held = text.slice(text.length - heldLength);
    return this.#spend("text", text.slice(0, text.length - heldLength));
  }

  #release(): ChatEvent[] {
    const held = this.#held;
    this.#held = "";
    return this.#spend("text", held);
  }

  #spend(type: "text" | "reasoning", text: string): ChatEvent[] {
    if (text === "") return [];
    const allowed = this.#budget.spend(text);
    const kept: ChatEvent[] = allowed === "" ? [] : [{ type, text: allowed }];
    return this.#budget.isSpent ? [...kept, this.#cut("length")] : kept;
  }

  #cut(reason: FinishReason, stopSequence?: string): ChatEvent {
    this.isEnded = true;
    this.isCut = true;
    return {
      type: "finish",
      reason,
      ...(stopSequence === undefined ? {} : { stopSequence }),
      isInexact: true,
    };
  }
}

/** Estimated tokens that are left. */
class TokenBudget {
  #left: number;
  /** The end of the text so far, which is estimated anew with each piece: a piece may be a part of a token. */
  #tail = "";
  isSpent = false;

  constructor(tokens: number) {
    this.#left = tokens;
  }

  /** The part of the text that is within the budget. */
  spend(text: string): string {
    const tail = this.#tail + text;
    if (tail.length * maxTokensPerCharacter < this.#left) {
      this.#tail = tail;
      if (tail.length > limits.tokenCountTail) this.#countTail();
      return text;
    }
    const tokens = estimateTextTokens(tail);
    this.#tail = tail;
    if (tokens < this.#left) return text;
    this.isSpent = true;
    // Within one piece tokens are taken to be of equal length.
    const surplus = Math.floor(((tokens - this.#left) / tokens) * tail.length);
    return text.slice(0, cutPosition(text, Math.max(0, text.length - surplus)));
  }

  #countTail(): void {
    this.#left -= estimateTextTokens(this.#tail);
    this.#tail = "";
  }
}

/** The stop text that is complete first, so that the division into pieces does not matter, and where it begins. */
function firstMatch(text: string, stops: readonly string[]): { stop: string; start: number } | undefined {
  return stops
    .map((stop) => ({ stop, start: text.indexOf(stop) }))
    .filter(({ start }) => start !== -1)
    .toSorted((a, b) => a.start + a.stop.length - (b.start + b.stop.length) || a.start - b.start)[0];
}

/** The length of the longest end of the text with which the stop text begins. */
function beginningAtEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
