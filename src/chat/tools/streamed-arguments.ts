import { limits } from "../../core/limits.js";
import type { Tool } from "../../core/types.js";
import { textChunks } from "../../lib/text-chunks.js";
import type { CallPiece } from "./call-pieces.js";
import { MarkupUnescaper } from "./escape-markup.js";
import { JsonEnd } from "./json-end.js";

/** The beginning of a call whose arguments can leave before its end; other keys come in another order only if they are short. */
const beginning =
  /^\s*\{\s*(?:"(?:id|type)"\s*:\s*"[^"\\]{0,200}"\s*,\s*)*"name"\s*:\s*("(?:[^"\\]|\\.){1,300}")\s*,\s*"arguments"\s*:\s*(?=\{)/;

/**
 * Passes on the arguments of a call in our own tag while the model still writes them, as far as they are strictly valid JSON.
 * Nothing can be corrected any more.
 */
export class StreamedArguments {
  readonly #unescaper = new MarkupUnescaper("json");
  readonly #json = new JsonEnd();
  /** The first half of a surrogate pair: the second one is to leave with it. */
  #half = "";
  /** `behind`: the arguments are complete, the end of the call is not. `end`: only a marker or white space may follow. */
  #state: "arguments" | "behind" | "end" = "arguments";

  /** Begins with the text of a call so far; undefined if that does not allow it. */
  static open(
    text: string,
    resolve: (name: string) => Tool | undefined,
  ): { call: StreamedArguments; pieces: CallPiece[] } | undefined {
    const [head, literal] = beginning.exec(text) ?? [];
    if (head === undefined || literal === undefined) return undefined;
    const tool = resolve(String(JSON.parse(literal)));
    if (!tool) return undefined;
    const call = new StreamedArguments();
    call.#json.scan(head);
    const { pieces, end } = call.read(text.slice(head.length));
    // What is nearly complete is held, and so is what needs a repair.
    if (end !== -1 || call.#state !== "arguments" || !call.#json.isStrict) return undefined;
    return { call, pieces: [{ type: "call-start", name: tool.name, family: "own" }, ...pieces] };
  }

  /** Whether the arguments were valid and complete when the answer ended. */
  get isComplete(): boolean {
    return this.#state !== "arguments";
  }

  /** Reads on. `end`: the position behind the call, or -1; the last piece is `call-end` then, or `broken-call`. */
  read(text: string): { pieces: CallPiece[]; end: number } {
    const pieces: CallPiece[] = [];
    let position = 0;
    while (position < text.length) {
      if (this.#state === "arguments") {
        const end = this.#json.scan(text, position, 1);
        if (!this.#json.isStrict) return { pieces: [...pieces, { type: "broken-call" }], end: text.length };
        pieces.push(...this.#pass(text.slice(position, end === -1 ? text.length : end), end !== -1));
        if (end === -1) return { pieces, end };
        this.#state = "behind";
        position = end;
        continue;
      }
      const isEnd = this.#readBehind(text.charAt(position));
      if (isEnd !== undefined)
        return { pieces: [...pieces, { type: isEnd ? "call-end" : "broken-call" }], end: position };
      position++;
    }
    return { pieces, end: -1 };
  }

  /** Reads one character behind the arguments: whether the call ends in front of it; undefined if it goes on. */
  #readBehind(character: string): boolean | undefined {
    if (this.#state === "end") return /[\s<`~}\]]/.test(character);
    if (this.#json.scan(character) !== -1) this.#state = "end";
    // A bracket that is lost behind complete arguments harms nothing.
    if (!this.#json.isStrict) return character === "<";
    return undefined;
  }

  #pass(text: string, isEnd: boolean): CallPiece[] {
    const added = this.#half + this.#unescaper.add(text) + (isEnd ? this.#unescaper.end() : "");
    this.#half = /[\ud800-\udbff]$/.exec(added)?.[0] ?? "";
    const whole = added.slice(0, added.length - this.#half.length);
    return Array.from(textChunks(whole, limits.toolCallPiece), (text) => ({ type: "call-arguments", text }));
  }
}
