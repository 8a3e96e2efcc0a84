import { defaultAnswer, type Turn } from "../default-answer.js";
import { type Directive, lastLine } from "../directives.js";
import type { Step } from "../steps.js";
import type { AskedFormat } from "./format-section.js";
import { isUnreadable, type JsonFault, parseJsonFault, writeWithFault } from "./json-faults.js";
import { createInstance } from "./json-instance.js";

const maxRemembered = 10_000;
const maxTextCharacters = 120;

/** The whole prompt, the account that sent it, and the message in it with its directives. */
type AskingMessage = { prompt: string; owner: string; text: string; directives: readonly Directive[] };

/** Plays a model that a prompt asks for JSON: it answers with a value of the schema, unless directives ask for something else. */
export class JsonAnswers {
  /** By account and message: how many answers were faulty, and the prompt of the latest of them. */
  readonly #faulty = new Map<string, { count: number; prompt: string }>();

  /** `turn` is without the description of the format, which `prompt` has. Throws ApiError for an unknown fault. */
  answer(turn: Turn, format: AskedFormat, { prompt, owner, text, directives }: AskingMessage): Step[] {
    const words = lastLine(text)
      .replace(/(?<!\S)sim:\S+/g, "")
      .trim();
    const said = `(Simulated) ${words.slice(-maxTextCharacters)}`.trimEnd();
    const value = format.schema ? createInstance(format.schema, said) : { answer: said };
    const requested = parseJsonFault(directives);
    const isFaulty = requested && this.#isDue(requested, { message: `${owner}\n${text}`, prompt });
    const answer = isFaulty ? writeWithFault(value, requested.fault) : JSON.stringify(value);
    return defaultAnswer(turn, directives, { text: answer });
  }

  #isDue(
    { fault, times }: { fault: JsonFault; times: number },
    { message, prompt }: { message: string; prompt: string },
  ): boolean {
    const before = this.#faulty.get(message) ?? { count: 0, prompt: "" };
    const isUncorrected = isUnreadable(fault) && before.prompt === prompt;
    if (before.count >= times && !isUncorrected) return false;
    this.#faulty.set(message, { count: before.count + 1, prompt });
    const [oldest] = this.#faulty.keys();
    if (this.#faulty.size > maxRemembered && oldest !== undefined) this.#faulty.delete(oldest);
    return true;
  }
}
