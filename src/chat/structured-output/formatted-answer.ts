import type { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import { canonicalJson } from "../../lib/json.js";
import type { AnswerFormat } from "./answer-format.js";
import { type FoundJson, findCutJson, findJson } from "./find-json.js";
import { StrictBeginning } from "./strict-beginning.js";
import { wrongFormatError } from "./wrong-format-error.js";

type Finish = Extract<ChatEvent, { type: "finish" }>;

export type FormattedAnswerOptions = {
  format: AnswerFormat;
  /** Whether the client receives the answer as it is written. */
  stream: boolean;
  /** Whether the chat was told of an answer that it does not hold, which no later turn is to rest on. */
  isCorrection: boolean;
};

/** The JSON of an answer, as the client gets it. */
type ChosenJson = { text: string; isAlone: boolean };

/**
 * Reads one answer that is to be JSON: its text leaves as bare JSON, everything else as it is. If it is not of the format, it
 * ends with a `problem` instead of a `finish`. A turn with calls of functions has no text, and an answer that was cut at a
 * bound has the JSON so far.
 *
 * JSON of a schema is held until the end, since only the end shows whether it is valid, and what has left cannot be corrected;
 * keep-alives run meanwhile. A stream of any JSON leaves as it is written, from the first key on and as far as it is strictly
 * valid: there is less to be wrong, and programs show it while it grows.
 */
export class FormattedAnswer {
  readonly #options: FormattedAnswerOptions;
  readonly #beginning: StrictBeginning | undefined;
  /** The whole text so far, and how much JSON of it has left. */
  #text = "";
  #emitted = "";
  #hasCalls = false;
  #out: ChatEvent[] = [];
  /** What is wrong with the answer, if it has ended. */
  problem: string | undefined;

  constructor(options: FormattedAnswerOptions) {
    this.#options = options;
    if (options.stream && options.format.toldSchema === undefined) this.#beginning = new StrictBeginning();
  }

  /** The answer as the model wrote it. */
  get text(): string {
    return this.#text;
  }

  /** The events to emit for those of the upstream. */
  read(events: readonly ChatEvent[]): ChatEvent[] {
    for (const event of events) this.#readEvent(event);
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #readEvent(event: ChatEvent): void {
    switch (event.type) {
      case "text":
        this.#readText(event.text);
        return;
      case "citation":
        // The text has no place for it: sources are named beside it.
        return;
      case "tool-call":
        this.#hasCalls = true;
        this.#out.push(event);
        return;
      case "finish":
        this.#readEnd(event);
        return;
      default:
        this.#out.push(event);
    }
  }

  #readText(piece: string): void {
    if (this.#text.length + piece.length > limits.formattedAnswer) throw this.#error("it is too long");
    this.#text += piece;
    if (!this.#hasCalls) this.#emit(this.#beginning?.read(piece) ?? "");
  }

  #emit(text: string): void {
    if (text === "") return;
    this.#emitted += text;
    this.#out.push({ type: "text", text });
  }

  #readEnd(finish: Finish): void {
    if (this.#hasCalls || finish.reason === "tool-calls" || finish.reason === "content-filter") {
      this.#finish(finish, this.#text.trim() === this.#emitted.trim());
      return;
    }
    const chosen = this.#choose();
    if (!("problem" in chosen)) this.#emitRest(chosen, finish);
    else if (finish.reason === "length") this.#emitCut(finish);
    else if (this.#emitted !== "") throw this.#error(chosen.problem);
    else this.problem = chosen.problem;
  }

  /** The client has whole JSON, also where the model was cut behind it. */
  #emitRest({ text, isAlone }: ChosenJson, finish: Finish): void {
    if (!text.startsWith(this.#emitted)) throw this.#error("it is not valid JSON");
    this.#emit(text.slice(this.#emitted.length));
    this.#finish({ ...finish, reason: "stop" }, isAlone);
  }

  #emitCut(finish: Finish): void {
    const cut = findCutJson(this.#text);
    if (cut.startsWith(this.#emitted)) this.#emit(cut.slice(this.#emitted.length));
    this.#finish(finish, false);
  }

  #finish(finish: Finish, isExact: boolean): void {
    const isInexact = finish.isInexact || !isExact || this.#options.isCorrection;
    this.#out.push({ ...finish, ...(isInexact ? { isInexact: true as const } : {}) });
  }

  /** The value of the format that the answer has; several different ones say nothing. */
  #choose(): ChosenJson | { problem: string } {
    const { values, isBroken } = findJson(this.#text);
    const fitting = values.flatMap((json) => {
      const checked = this.#options.format.check(json);
      return "text" in checked ? [{ ...json, text: checked.text }] : [];
    });
    const fenced = fitting.filter(({ isFenced }) => isFenced);
    const [chosen, ...others] = fenced.length > 0 ? fenced : fitting;
    if (!chosen) return { problem: this.#findProblem(values) };
    // What can be read may be a part of the prose around it.
    if (isBroken && !chosen.isFenced) return { problem: "it is not valid JSON" };
    const isClear = others.every(({ value }) => canonicalJson(value) === canonicalJson(chosen.value));
    return isClear ? chosen : { problem: "it has several JSON values" };
  }

  /** What is wrong with the answer's longest JSON, or with the answer. */
  #findProblem(values: readonly FoundJson[]): string {
    const [longest] = values.toSorted((a, b) => b.text.length - a.text.length);
    const checked = longest && this.#options.format.check(longest);
    if (checked && "problem" in checked) return checked.problem;
    return /[{[]/.test(this.#text) ? "it is not valid JSON" : "it has no JSON";
  }

  #error(problem: string): GatewayError {
    return wrongFormatError(this.#options.format.parameter, problem);
  }
}
