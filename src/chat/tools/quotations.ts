import { limits } from "../../core/limits.js";
import type { Message } from "../../core/types.js";
import { escapeRegExp } from "../../lib/escape-reg-exp.js";
import { isObject, parseObject } from "../../lib/json.js";
import type { ToolAliases } from "./tool-aliases.js";

/**
 * Calls in foreign forms that stand in what the model was given to read: results, the user's and the system's texts, earlier
 * answers, names of files, search snippets. If the model writes one of them, it is a quotation and no call.
 */
export class Quotations {
  readonly #texts: string[] = [];
  readonly #aliases: ToolAliases;
  readonly #isPartial: boolean;

  /**
   * `messages`: all of the conversation, as far as the request has it. `isPartial`: the model has read more than them. What is
   * in pictures and files is unknown, too. Then every call in a foreign form may be a quotation.
   */
  constructor(messages: readonly Message[], aliases: ToolAliases, { isPartial = false } = {}) {
    this.#aliases = aliases;
    this.#isPartial =
      isPartial || messages.some(({ content }) => content.some(({ type }) => type !== "text"));
    for (const { content } of messages) {
      this.add(content.map((part) => (part.type === "text" ? part.text : (part.name ?? ""))).join(""));
    }
  }

  /** A further text that the model reads during its answer, such as a search snippet. */
  add(text: string): void {
    if (text !== "") this.#texts.push(text);
  }

  /**
   * Whether the model has read a call of this function, by the client's name of it, with these arguments, a JSON object as
   * text. The form is not parsed: in the text, the name stands where forms of calls have it, and all words of the arguments
   * follow. So a call is taken for a quotation rather than a quotation for a call.
   */
  isQuotation(name: string, canonicalArguments: string): boolean {
    if (this.#isPartial) return true;
    const patterns = collectPatterns(canonicalArguments);
    // Forms may write every character of the arguments as two, and have white space and markup between them.
    const length = 2 * canonicalArguments.length + 2_048;
    const pattern = new RegExp(
      `(?:${beforeName})(?:${looseName(name)}|${looseName(this.#aliases.told(name))})`,
      "giu",
    );
    let places = 0;
    for (const text of this.#texts) {
      for (const { index, 0: match } of text.matchAll(pattern)) {
        places += 1;
        if (places > limits.quotationPlaces || places * length > limits.quotationText) return true;
        const start = index + match.length;
        const place = decodeCharacters(text.slice(start, start + length));
        if (patterns.every((each) => each.test(place))) return true;
      }
    }
    return false;
  }
}

/** What stands before a name in the forms of calls: a key or an attribute, a token, a tag, or a namespace. */
const beforeName = [
  "(?:name|function|tool|recipient)\\\\{0,4}[\"'“”]?\\s{0,20}[:=]\\s{0,20}\\\\{0,4}[\"'“”]?(?:functions|default_api)?[.:/]?",
  "<\\|[^|<>]{1,60}\\|>\\s{0,20}(?:functions[.:/])?",
  "<[^<>]{0,60}>\\s{0,20}",
  "<",
  "(?:functions|default_api)[.:/]",
].join("|");

/** A pattern for a name in any case, with `_`, `-` and `.` anywhere or nowhere, as a model may write it. */
function looseName(name: string): string {
  return [...name.replace(/[_.-]/g, "")].map(escapeRegExp).join("[_.\\-]?");
}

/** A pattern for each key and value: its words, with anything between them that may stand for what is no word. */
function collectPatterns(json: string): RegExp[] {
  const patterns: RegExp[] = [];
  let left: number = limits.quotedWordCount;
  const collect = (value: unknown): void => {
    if (left <= 0) return;
    if (Array.isArray(value)) for (const item of value) collect(item);
    else if (isObject(value)) for (const entry of Object.entries(value)) entry.forEach(collect);
    // Languages write the other literals differently.
    else if (typeof value === "string" || typeof value === "number") {
      const text = String(value).slice(0, limits.quotedWords);
      const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
      const first = words.slice(0, left);
      left -= first.length;
      const isCut = first.length < words.length || text.length === limits.quotedWords;
      const end = isCut ? "" : "(?![\\p{L}\\p{N}])";
      if (first.length > 0)
        patterns.push(new RegExp(`${wordStart}${first.join(`${betweenWords}+`)}${end}`, "u"));
    }
  };
  collect(parseObject(json));
  return patterns;
}

/** An escape sequence of JSON, an entity of XML, or a character that is no part of a word. */
const betweenWords = "(?:\\\\[nrtbf]|&[a-z]{2,6};|[^\\p{L}\\p{N}])";
const wordStart = `(?:^|${betweenWords})`;

/** Replaces escape sequences of other characters by the characters. */
function decodeCharacters(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
