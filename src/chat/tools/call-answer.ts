import { randomBytes } from "node:crypto";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, ToolChoice } from "../../core/types.js";
import { AnswerText } from "./answer-text.js";
import { callForm } from "./call-form.js";
import { CallParser } from "./call-parser.js";
import type { CallParserOptions, CallPiece } from "./call-pieces.js";
import { DeliveredCalls } from "./delivered-calls.js";
import type { CorrectionReason, ToolObserver } from "./tool-observer.js";

type Finish = Extract<ChatEvent, { type: "finish" }>;
type InvalidPiece = Extract<CallPiece, { type: "invalid-call" }>;
type WholeCall = Extract<CallPiece, { type: "call" }>;

export type CallAnswerOptions = {
  parser: CallParserOptions;
  toolChoice: ToolChoice;
  allowsParallelCalls: boolean;
  /** Whether the model was told of the functions in this turn, so that it may take the text for an injection. */
  isNewlyTold: boolean;
  /** Whether the client has text of an earlier, rejected answer of this turn. */
  hasEarlierText: boolean;
  /** Whether the model was told what was wrong with a rejected answer, which no later turn is to rest on. */
  isCorrection: boolean;
  observer: ToolObserver;
};

/** Why an answer is of no use, and what the model wrote of it. */
export type Rejection = { reason: CorrectionReason; invalid?: InvalidPiece };

/**
 * Reads one answer of a model that was told of functions: its text and its calls as events. If the answer is of no use, it
 * ends with a rejection instead of a `finish`.
 */
export class CallAnswer {
  readonly #options: CallAnswerOptions;
  readonly #parser: CallParser;
  readonly #reasoningParser: CallParser;
  readonly #text: AnswerText;
  #calls = 0;
  readonly #delivered = new DeliveredCalls();
  readonly #reasoningCalls: WholeCall[] = [];
  #invalid: InvalidPiece | undefined;
  #invalidText = "";
  #isForbidden = false;
  /** Whether the chat holds something else than what the client is given. */
  #isInexact = false;
  #out: ChatEvent[] = [];
  rejection: Rejection | undefined;
  /** True once the answer's end was emitted; the upstream may go on. */
  isEnded = false;
  /** Characters that came after the end. */
  surplusCharacters = 0;

  constructor(options: CallAnswerOptions) {
    this.#options = options;
    this.#parser = new CallParser(options.parser);
    this.#reasoningParser = new CallParser(options.parser);
    const { isNewlyTold, hasEarlierText } = options;
    this.#text = new AnswerText({
      isWithheld: this.isForced || hasEarlierText,
      mayBeRefusal: isNewlyTold && !hasEarlierText,
    });
  }

  /** Whether the client forces a call; then it has no use for text alone. */
  get isForced(): boolean {
    const { toolChoice } = this.#options;
    return toolChoice === "required" || typeof toolChoice === "object";
  }

  /** Whether the client has text of this answer. */
  get hasText(): boolean {
    return this.#text.isEmitted;
  }

  /** Whether a call is held that may leave once it has been held long enough. */
  get isHolding(): boolean {
    return this.#parser.isHolding;
  }

  /** Lets the beginning of a held call leave with the next events. */
  release(): void {
    this.#readPieces(this.#parser.release());
  }

  /** The events to emit for those of the upstream. */
  read(events: readonly ChatEvent[]): ChatEvent[] {
    for (const event of events) {
      if (this.rejection) break;
      if (this.isEnded) {
        if (event.type === "text") this.surplusCharacters += event.text.length;
      } else this.#readEvent(event);
    }
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #readEvent(event: ChatEvent): void {
    switch (event.type) {
      case "text":
        this.#readPieces(this.#parser.add(event.text));
        return;
      case "reasoning":
        this.#readReasoning(this.#reasoningParser.add(event.text));
        return;
      case "citation":
        this.#out.push(...this.#text.readCitation(event, this.#parser.isHolding));
        return;
      case "service-tool":
        if (this.#calls === 0) this.rejection = { reason: "service-tool" };
        return;
      case "finish":
        this.#readEnd(event);
        return;
      default:
        this.#out.push(event);
    }
  }

  #readPieces(pieces: readonly CallPiece[]): void {
    for (const piece of pieces) if (!this.isEnded) this.#readPiece(piece);
  }

  #readPiece(piece: CallPiece): void {
    switch (piece.type) {
      case "text":
        this.#readText(piece.text);
        return;
      case "call":
        this.#readCall(piece);
        return;
      case "call-start":
        this.#startStreamed(piece.name);
        return;
      case "call-arguments":
        this.#readStreamed(piece.text);
        return;
      case "call-end":
        if (!this.#delivered.end()) return;
        this.#isInexact = true;
        this.#options.observer.onCall("own", "surplus");
        return;
      case "broken-call":
        this.#options.observer.onCall("own", "broken");
        if (this.#delivered.isSending) throw brokenCallError();
        if (this.#calls > 0) this.#finishEarly();
        return;
      case "invalid-call":
        this.#invalid ??= piece;
        this.#invalidText += piece.text;
        this.#isInexact ||= this.#calls > 0;
        return;
      case "complete":
        if (this.#calls > 0) this.#finishEarly();
        return;
      case "discarded":
        if (!piece.hasContent) return;
        this.#isInexact = true;
        this.#options.observer.onDiscardedTail();
    }
  }

  #readText(text: string): void {
    // Behind an invalid call it may have to be given with that call, or not at all.
    if (this.#invalid) this.#invalidText += text;
    else this.#out.push(...this.#text.read(text));
  }

  #readCall(call: WholeCall): void {
    const { observer } = this.#options;
    if (!this.#accepts(call.name)) {
      observer.onCall(call.family, this.#isForbidden ? "forbidden" : "surplus");
      return;
    }
    const isRepeated = this.#delivered.has(call.name, call.arguments);
    if (isRepeated || !this.#begin(call.name, call.arguments)) {
      this.#isInexact = true;
      observer.onCall(call.family, "surplus");
      return;
    }
    this.#delivered.add(call.name, call.arguments);
    observer.onCall(call.family, "delivered");
    for (const repair of call.repairs) observer.onRepair(repair);
  }

  #startStreamed(name: string): void {
    this.#delivered.drop();
    if (this.#accepts(name) && this.#delivered.start(name)) this.#sendStreamed(name, "");
  }

  #readStreamed(text: string): void {
    const sent = this.#delivered.read(text);
    if (!sent) return;
    if ("begin" in sent) this.#sendStreamed(sent.begin.name, sent.begin.arguments);
    else this.#out.push({ type: "tool-call", index: this.#calls - 1, arguments: sent.text });
  }

  #sendStreamed(name: string, text: string): void {
    if (this.#begin(name, text)) this.#options.observer.onCall("own", "delivered");
    else this.#delivered.drop();
  }

  /** Whether the client's choice of functions allows this one. */
  #accepts(name: string): boolean {
    const { toolChoice, allowsParallelCalls } = this.#options;
    const isOther = typeof toolChoice === "object" && toolChoice.name !== name;
    const isSurplus = this.#calls > 0 && !allowsParallelCalls;
    this.#isForbidden ||= toolChoice === "none";
    const isAccepted = toolChoice !== "none" && !isOther && !isSurplus;
    this.#isInexact ||= !isAccepted;
    return isAccepted;
  }

  /** False beyond `limits.toolCalls`. */
  #begin(name: string, text: string): boolean {
    if (this.#calls >= limits.toolCalls) return false;
    if (this.#options.hasEarlierText) {
      // The client has the text of the rejected answer.
      this.#isInexact = true;
      this.#text.discard();
    }
    this.#out.push(...this.#text.release());
    const id = `call_${randomBytes(12).toString("hex")}`;
    this.#out.push({ type: "tool-call", index: this.#calls, id, name, arguments: text });
    this.#calls++;
    return true;
  }

  /** The text of the reasoning stays reasoning; calls count only if the answer has none. */
  #readReasoning(pieces: readonly CallPiece[]): void {
    for (const piece of pieces) {
      if (piece.type === "call") this.#reasoningCalls.push(piece);
      else if (piece.type === "text" || piece.type === "invalid-call")
        this.#out.push({ type: "reasoning", text: piece.text });
    }
  }

  /** The plan is complete, but the model goes on: what follows are invented results. */
  #finishEarly(): void {
    this.isEnded = true;
    this.#isInexact = true;
    this.#options.observer.onDiscardedTail();
    this.#out.push(...this.#text.releaseAll(""));
    this.#emitFinish({ type: "finish", reason: "tool-calls" });
  }

  #readEnd(finish: Finish): void {
    if (finish.reason !== "content-filter") {
      this.#readReasoning(this.#reasoningParser.end());
      this.#readPieces(this.#parser.end());
      if (this.isEnded) return;
    }
    if (this.#calls === 0 && this.#reasoningCalls.length > 0) {
      for (const call of this.#reasoningCalls) this.#readCall(call);
      this.#isInexact = true;
    }
    if (this.#calls === 0 && finish.reason === "stop") {
      this.rejection = this.#findRejection();
      if (this.rejection) return;
    }
    this.#finish(finish);
  }

  #findRejection(): Rejection | undefined {
    if (this.#text.isRefusal) return { reason: "refused" };
    if (this.#isForbidden && !this.hasText) return { reason: "forbidden-call" };
    if (this.#invalid && !this.#isFormAlone()) {
      this.#options.observer.onCall("own", "invalid");
      return { reason: this.#invalid.problem.kind, invalid: this.#invalid };
    }
    return this.isForced ? { reason: "no-call" } : undefined;
  }

  /** Whether what seemed to be an invalid call is the form of one, as the prompt shows it: the model tells of it. */
  #isFormAlone(): boolean {
    const { word } = this.#options.parser;
    return !this.#invalidText.replaceAll(callForm(word), "").includes(`<call-${word}>`);
  }

  /** Ends an answer that was rejected, as it is: with what the model wrote as text. */
  endAsText(): ChatEvent[] {
    this.rejection = undefined;
    this.#finish({ type: "finish", reason: "stop" });
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #finish(finish: Finish): void {
    const hasEarlierText = this.#calls === 0 && this.#options.hasEarlierText;
    // Half a call of an answer that was cut short is no text.
    if (this.#calls === 0 && finish.reason === "stop") this.#text.append(this.#invalidText);
    this.#out.push(...this.#text.releaseAll(hasEarlierText ? "\n\n" : ""));
    this.isEnded = true;
    const reason = this.#calls > 0 && finish.reason === "stop" ? "tool-calls" : finish.reason;
    this.#emitFinish({ ...finish, reason });
  }

  #emitFinish(finish: Finish): void {
    const { hasEarlierText, isCorrection } = this.#options;
    const isInexact = this.#isInexact || hasEarlierText || isCorrection;
    this.#out.push({ ...finish, ...(isInexact ? { isInexact: true as const } : {}) });
  }
}

function brokenCallError(): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    "The model began a function call whose arguments are no JSON. A part of the call had already been sent. Send the " +
      "request again.",
  );
}
