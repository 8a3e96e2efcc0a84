import { limits } from "../../core/limits.js";
import { BehindCallReader, type Fence } from "./behind-call.js";
import { CallBody, isNative } from "./call-content.js";
import type { CallParserOptions, CallPiece } from "./call-pieces.js";
import { unescapeMarkup } from "./escape-markup.js";
import { NativeMarkupRemover } from "./native-markup.js";
import { type Opener, OpenerFinder, type Place } from "./openers.js";
import { PieceOutput } from "./piece-output.js";
import { SpanEnd } from "./span-end.js";
import { StreamedArguments } from "./streamed-arguments.js";
import { TextScanner } from "./text-scanner.js";

/**
 * `text`: outside of calls. `span`: an opener between backticks, which is code if the span is closed in the same line.
 * `call`: in a call that is held. `streamed`: in one whose arguments leave. `after`: behind a call. `invalid`: behind a call
 * that needs a correction. `discard`: behind the plan. `broken`: nothing follows.
 */
type State = "text" | "span" | "call" | "streamed" | "after" | "invalid" | "discard" | "broken";

/** Calls in a fence that held nothing else so far: only its end shows whether they are calls or an example. */
type Fenced = Fence & { text: string; calls: CallPiece[] };

/**
 * Separates the tool calls that a model writes as text from the rest of an answer. Fed with text deltas; the pieces that it
 * returns are the same for every division into deltas, adjacent pieces of text taken as one.
 */
export class CallParser {
  readonly #options: CallParserOptions;
  readonly #finder: OpenerFinder;
  readonly #scanner: TextScanner<Opener>;
  readonly #output = new PieceOutput();
  readonly #remover = new NativeMarkupRemover();
  readonly #behindCall: BehindCallReader;
  #state: State = "text";
  /** Text that was not interpreted yet. */
  #input = "";
  /** The call that is read, and its text with the opener. */
  #call: CallBody | undefined;
  #callText = "";
  #span: SpanEnd | undefined;
  #streamed: StreamedArguments | undefined;
  #fenced: Fenced | undefined;
  #hasCall = false;
  /** Characters of the input that stood in a broken call of a foreign form: there, no such call begins. */
  #barred = 0;
  /** What looked like a call and was none: reading it again costs time. */
  #rejections = 0;

  constructor(options: CallParserOptions) {
    this.#options = options;
    this.#finder = new OpenerFinder(options.word);
    this.#behindCall = new BehindCallReader(this.#finder, options.word);
    this.#scanner = new TextScanner<Opener>(
      (text, position, place) => this.#find(text, position, place),
      (text, position) => (this.#isExhausted ? undefined : this.#finder.findOwn(text, position)),
    );
  }

  /** Whether a call has begun that was neither returned nor released. */
  get isHolding(): boolean {
    return this.#state === "call" || this.#fenced !== undefined;
  }

  /** Reads on. */
  add(text: string): CallPiece[] {
    this.#input += text;
    while (this.#step(false));
    return this.#output.take();
  }

  /** The time for which a call is held whole has passed: lets the name and the arguments so far of a held call leave. */
  release(): CallPiece[] {
    if (this.#state === "call") this.#stream();
    return this.#output.take();
  }

  /** The regular end of the answer. Not to be called for a stream that was cut: what is held then was half a call. */
  end(): CallPiece[] {
    while (this.#step(true));
    if (this.#state === "invalid") this.#output.addText(this.#remover.end());
    return this.#output.end();
  }

  /** Returns whether the rest of the input can be read on. */
  #step(isEnd: boolean): boolean {
    switch (this.#state) {
      case "text":
        return this.#scanText(isEnd);
      case "span":
        return this.#readSpan(isEnd);
      case "call":
        return this.#readCall(isEnd);
      case "streamed":
        return this.#readStreamed(isEnd);
      case "after":
        return this.#readAfter(isEnd);
      case "invalid":
        this.#output.addText(this.#remover.add(this.#take(this.#input.length)));
        return false;
      case "discard":
        this.#output.discard(this.#take(this.#input.length));
        return false;
      case "broken":
        this.#take(this.#input.length);
        return false;
    }
  }

  #scanText(isEnd: boolean): boolean {
    const { length, found, fence } = this.#scanner.scan(this.#input, isEnd);
    this.#output.addText(this.#take(length));
    if (!found) return false;
    if (this.#scanner.span > 0) {
      this.#rejections++;
      this.#span = new SpanEnd(this.#scanner.span);
      this.#state = "span";
      return true;
    }
    if (fence) {
      this.#fenced = { mark: fence.mark, count: fence.count, text: "", calls: [] };
      this.#take(fence.length);
    }
    this.#openCall(found);
    return true;
  }

  get #isExhausted(): boolean {
    return this.#rejections > limits.toolCallRejections;
  }

  #find(text: string, position: number, place: Place): Opener | "partial" | undefined {
    if (this.#isExhausted) return place.isInCode ? undefined : this.#finder.findOwnJson(text, position);
    return position < this.#barred
      ? this.#finder.findOwn(text, position)
      : this.#finder.find(text, position, place);
  }

  /** A span of code ends in its line; otherwise its backticks were text, and what follows them may be a call. */
  #readSpan(isEnd: boolean): boolean {
    const end = this.#span?.read(this.#input, isEnd || this.#callText.length > limits.toolCallText);
    this.#callText += this.#input;
    this.#input = end === undefined ? "" : this.#callText;
    if (end === undefined) return false;
    this.#closeCall("text");
    if (end === "none") this.#scanner.closeSpan();
    else this.#output.addText(this.#take(end));
    return true;
  }

  #openCall(opener: Opener): void {
    this.#callText = this.#take(opener.length);
    this.#call = new CallBody(opener, this.#options.word);
    this.#state = "call";
  }

  #readCall(isEnd: boolean): boolean {
    const call = this.#call;
    if (!call) return false;
    const bodyLength = this.#callText.length - call.opener.length;
    const mayStream = call.opener.family === "own" && !this.#fenced && bodyLength < limits.toolCallHold;
    const length = mayStream ? limits.toolCallHold - bodyLength : this.#input.length;
    const piece = this.#input.slice(0, length);
    const end = call.read(piece);
    if (end < -1) return this.#rejectCall();
    this.#callText += this.#take(end === -1 ? piece.length : end);
    if (end !== -1) return this.#endCall();
    if (mayStream && piece.length === length) this.#stream();
    else if (this.#callText.length > limits.toolCallText) return this.#endCall();
    if (this.#input !== "" || this.#state !== "call") return true;
    return isEnd ? this.#endCall() : false;
  }

  #stream(): void {
    const call = this.#call;
    if (!call || this.#fenced || call.opener.family !== "own" || call.opener.body !== "json") return;
    const opened = StreamedArguments.open(this.#callText.slice(call.opener.length), this.#options.resolve);
    if (!opened) return;
    this.#output.addCall(...opened.pieces);
    this.#streamed = opened.call;
    this.#hasCall = true;
    this.#closeCall("streamed");
  }

  #readStreamed(isEnd: boolean): boolean {
    const { pieces, end } = this.#streamed?.read(this.#input) ?? { pieces: [], end: -1 };
    this.#output.add(...pieces);
    this.#take(end === -1 ? this.#input.length : end);
    if (pieces.at(-1)?.type === "broken-call") {
      this.#state = "broken";
    } else if (end !== -1) {
      this.#state = "after";
    } else if (isEnd) {
      this.#output.add({ type: this.#streamed?.isComplete ? "call-end" : "broken-call" });
      this.#state = "broken";
    }
    return this.#input !== "";
  }

  /** What was read is a whole call, or the answer has ended. */
  #endCall(): boolean {
    const content = this.#call?.interpret(this.#options);
    const family = this.#call?.opener.family;
    if (!content || !family || content.type === "text") return this.#rejectCall();
    if (content.type === "call") {
      const { tool, arguments: json, repairs } = content;
      const piece: CallPiece = { type: "call", name: tool.name, arguments: json, family, repairs };
      if (this.#fenced) this.#fenced.calls.push(piece);
      else this.#output.addCall(piece);
      this.#hasCall ||= !this.#fenced;
      this.#closeCall("after");
      return true;
    }
    // In a fence it is as likely an example.
    if (this.#fenced) return this.#rejectCall();
    const text = isNative(family) ? "" : this.#output.takeHeld() + unescapeMarkup(this.#callText);
    this.#output.add({ type: "invalid-call", text, name: content.name, problem: content.problem });
    if (isNative(family) && !this.#hasCall) this.#output.addText(this.#remover.add(this.#callText));
    this.#closeCall("invalid");
    return this.#hasCall ? this.#complete() : true;
  }

  #closeCall(state: State): void {
    this.#state = state;
    this.#call = undefined;
    this.#callText = "";
    this.#behindCall.reset();
  }

  /** What was read is no call. */
  #rejectCall(): boolean {
    if (this.#fenced) return this.#leaveFence(this.#fenced);
    const text = this.#callText;
    const isForeign = this.#call?.opener.family !== "own";
    const isWhole = this.#call?.hasEnded ?? false;
    const interpreted = this.#call?.interpreted ?? 0;
    this.#closeCall("text");
    if (this.#hasCall) {
      this.#input = text + this.#input;
      return this.#complete();
    }
    // What stands in the body of a foreign call was to be an argument.
    const passed = isForeign && isWhole ? text.length : 1;
    this.#rejections++;
    this.#scanner.skipFound();
    this.#output.addText(text.slice(0, passed));
    this.#input = text.slice(passed) + this.#input;
    if (isForeign) this.#barred = interpreted - passed;
    return true;
  }

  /** Text behind the calls of a fence: all of it is an example. */
  #leaveFence({ mark, count, text }: Fenced): boolean {
    const lineEnd = text.indexOf("\n") + 1;
    this.#rejections++;
    this.#fenced = undefined;
    this.#input = text.slice(lineEnd) + this.#input;
    this.#closeCall("text");
    this.#output.addText(text.slice(0, lineEnd));
    this.#scanner.openFence({ mark, count });
    return true;
  }

  #readAfter(isEnd: boolean): boolean {
    this.#take(this.#behindCall.readSpace(this.#input));
    if (this.#input === "") {
      if (isEnd && this.#fenced) this.#deliverFenced(this.#fenced);
      return false;
    }
    const found = this.#behindCall.read(this.#input, isEnd, this.#fenced);
    // At the end of the answer, half a marker is as good as a whole one.
    if (found === "partial") return isEnd ? this.#take(this.#input.length) !== "" : false;
    if (!found) return this.#fenced ? this.#leaveFence(this.#fenced) : this.#complete();
    if (found.type === "opener") this.#openCall(found.opener);
    else this.#take(found.length);
    if (found.type === "fence-end" && this.#fenced) this.#deliverFenced(this.#fenced);
    return true;
  }

  #deliverFenced({ calls }: Fenced): void {
    this.#fenced = undefined;
    this.#hasCall = true;
    this.#output.addCall(...calls);
  }

  #complete(): boolean {
    this.#output.add({ type: "complete" });
    this.#state = "discard";
    return true;
  }

  /** Removes characters from the input. */
  #take(length: number): string {
    const text = this.#input.slice(0, length);
    this.#input = this.#input.slice(length);
    this.#barred = Math.max(0, this.#barred - length);
    if (this.#fenced) this.#fenced.text += text;
    return text;
  }
}
