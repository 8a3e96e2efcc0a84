import { CallBody } from "./call-content.js";
import { nativeClosers } from "./closers.js";
import { kimiToolGroups, kimiTools } from "./kimi-tools.js";
import { MarkerPattern, matchAny, type PatternPart } from "./marker-pattern.js";
import { findNativeOpener, type Opener, type Place } from "./openers.js";
import { TextScanner } from "./text-scanner.js";

type Found = { kind: "call"; opener: Opener } | { kind: "line"; length: number };

/** A line that is nothing but a tool of Kimi's with the number of its call: `show_widget:11`, `functions.read_file:0`. */
const toolLines = [
  ...kimiTools.map((name): PatternPart[] => [name]),
  ...kimiToolGroups.map((group): PatternPart[] => [group, { source: "\\w{0,40}" }]),
  ["functions.", { source: "[\\w-]{1,64}" }],
].map((name): readonly [MarkerPattern, "line"] => [
  new MarkerPattern([...name, ":", { source: "\\d{1,4}" }, { source: "[ \\t\\r]{0,8}" }, "\n"]),
  "line",
]);

/**
 * Takes Kimi's own call markup out of a text that comes in pieces: calls in its own tokens with all their arguments, and lines
 * that are nothing but a tool's name and a number (kimi-web.md §6 row 22). Text that only mentions a token stays, and
 * so does code.
 */
export class NativeMarkupRemover {
  /** Calls and lines that were taken out. */
  removed = 0;
  readonly #scanner = new TextScanner<Found>(findMarkup);
  #input = "";
  /** `rest`: the call is broken; what belongs to it ends at a closing marker or with the line. */
  #state: "text" | "call" | "rest" | "after" = "text";
  #call: CallBody | undefined;
  /** The text of the call so far, with its opener. */
  #body = "";
  /** White space behind a call, which belongs to the text if no other call follows. */
  #space = "";

  /** Reads on. Returns the text that can leave. */
  add(text: string): string {
    this.#input += text;
    return this.#run(false);
  }

  /** No more text follows. Returns the rest. */
  end(): string {
    const found = this.#state === "text" ? matchAny(toolLines, `${this.#input}\n`, 0) : undefined;
    if (found && found !== "partial" && found.match.length === this.#input.length + 1) {
      this.removed++;
      this.#input = "";
    }
    return this.#run(true);
  }

  #run(isEnd: boolean): string {
    let output = "";
    for (let text = this.#step(isEnd); text !== undefined; text = this.#step(isEnd)) output += text;
    return output;
  }

  /** Returns text that can leave; undefined if nothing can be read on. */
  #step(isEnd: boolean): string | undefined {
    if (this.#input === "") return isEnd ? this.#takeSpace() || undefined : undefined;
    switch (this.#state) {
      case "text":
        return this.#scanText(isEnd);
      case "call":
        return this.#readCall();
      case "rest":
        return this.#skipRest();
      case "after":
        return this.#readAfter(isEnd);
    }
  }

  #scanText(isEnd: boolean): string | undefined {
    const { length, found } = this.#scanner.scan(this.#input, isEnd);
    const text = this.#take(length);
    if (found?.kind === "line") {
      this.#take(found.length);
      this.removed++;
    } else if (found) {
      this.#openCall(found.opener);
    } else if (text === "") {
      return undefined;
    }
    return text;
  }

  #openCall(opener: Opener): void {
    this.#body = this.#take(opener.length);
    this.#space = "";
    this.removed++;
    this.#call = new CallBody(opener, "");
    const isReadable = opener.body === "parameters" || this.#input.startsWith("{");
    this.#state = isReadable ? "call" : "rest";
  }

  #readCall(): string {
    const end = this.#call?.read(this.#input) ?? -1;
    if (end < -1) {
      this.#input = (this.#body + this.#input).slice(this.#call?.interpreted ?? 0);
      this.#state = "rest";
      return "";
    }
    if (end !== -1) this.#state = "after";
    this.#body += this.#take(end === -1 ? this.#input.length : end);
    return "";
  }

  #skipRest(): string | undefined {
    const position = /[<\n]/.exec(this.#input)?.index ?? this.#input.length;
    this.#take(position);
    if (this.#input === "") return "";
    const found = this.#input.startsWith("\n") ? undefined : matchAny(nativeClosers, this.#input, 0);
    if (found === "partial") return undefined;
    if (found || this.#input.startsWith("\n")) this.#state = "after";
    else this.#take(1);
    return "";
  }

  #readAfter(isEnd: boolean): string | undefined {
    this.#space += this.#take(/^\s*/.exec(this.#input)?.[0].length ?? 0);
    if (this.#input === "") return "";
    const closer = matchAny(nativeClosers, this.#input, 0);
    const opener = findNativeOpener(this.#input, 0);
    if (closer && closer !== "partial") {
      this.#take(closer.match.length);
      return "";
    }
    if (opener && opener !== "partial") {
      this.#openCall(opener);
      return "";
    }
    if ((closer || opener) && !isEnd) return undefined;
    this.#state = "text";
    return this.#takeSpace();
  }

  #take(length: number): string {
    const text = this.#input.slice(0, length);
    this.#input = this.#input.slice(length);
    return text;
  }

  #takeSpace(): string {
    const space = this.#space;
    this.#space = "";
    return space;
  }
}

function findMarkup(text: string, position: number, place: Place): Found | "partial" | undefined {
  if (place.isInCode || place.isQuoted) return undefined;
  if (text.charAt(position) === "<") {
    const opener = findNativeOpener(text, position);
    return opener === "partial" || !opener ? opener : { kind: "call", opener };
  }
  if (!place.isLineStart) return undefined;
  const found = matchAny(toolLines, text, position);
  return found === "partial" || !found ? found : { kind: "line", length: found.match.length };
}
