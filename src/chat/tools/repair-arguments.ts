import { JSONRepairError, jsonrepair } from "jsonrepair";
import { limits } from "../../core/limits.js";
import { isObject } from "../../lib/json.js";

/** String literals, closed by a quote or not at all; a quote behind a backslash closes none. */
const stringLiteral = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?/g;
const escapeSequence = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|\\[\s\S]?/g;
const networkShare = /^"\s*\\\\[^\\]/;
const quote = '"';
const fence = /^```[a-z]{0,10}|```$/g;
/** Strings are matched first, so that what looks like a comment in them stays; also unclosed ones, for a linear time. */
const stringOrComment =
  /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const stringOrDoubledComma = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|,(?:\s*,)+/g;
const beginsValue = /:\s{0,20}"/g;
/** What is escaped, which is read over, and a quote that ends a value. */
const escapedOrEnd = /\\[\s\S]|"(?=\s{0,20}(?:,\s{0,20}"[^"\\]{0,100}"\s{0,20}:|[}\]]\s{0,20}(?:[}\],]|$)))/g;

/**
 * Repairs the JSON of an object or array: code fences, line breaks in strings, trailing commas, quotes of typography, literals of
 * Python, comments, backslashes that begin no escape sequence (as in Windows paths), missing closing brackets. Returns
 * undefined where a repair would have to invent a value or leave one out, and where a string of the result would contain the
 * `marker` of the call, unless that string is surely one: otherwise its end was missed. Of more than `maxLength` characters, only
 * line breaks and backslashes in strings are repaired.
 */
export function repairJson(
  text: string,
  marker: string,
  maxLength: number = limits.toolCallRepair,
): string | undefined {
  const source = text
    .replace(/^\uFEFF/, "")
    .replace(fence, "")
    .replace(stringLiteral, escapeBackslashes);
  const withoutControls = source.replace(stringLiteral, escapeControls);
  if (isJsonOf(source, withoutControls)) return withoutControls;
  if (source.length > maxLength) return undefined;
  for (const prepare of preparations) {
    const repaired = repairSource(
      prepare(source),
      prepare === removeComments ? removeComments(source) : source,
    );
    if (repaired !== undefined) return isOfOneCall(source, repaired, marker) ? repaired : undefined;
  }
  const escaped = escapeInnerQuotes(source);
  return escaped !== undefined && isOfOneCall(source, escaped, marker) ? escaped : undefined;
}

/** Whether the text is JSON of what the source begins with: an array or, in all other cases, an object. */
function isJsonOf(source: string, text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return source.trimStart().startsWith("[") ? Array.isArray(value) : isObject(value);
  } catch {
    return false;
  }
}

/** What `jsonrepair` does not know, tried one after the other. */
const preparations: readonly ((source: string) => string)[] = [
  (source) => source,
  removeComments,
  straightenQuotes,
  removeDoubledCommas,
];

function removeComments(source: string): string {
  return source.replace(stringOrComment, (found) => (found.startsWith("/") ? "" : found));
}

/**
 * Escapes quotes inside of values. A quote ends the value of a key only where the next key or the end of an object follows.
 * With brackets missing as well, that would be a guess.
 */
function escapeInnerQuotes(source: string): string | undefined {
  let escaped = "";
  let position = 0;
  for (const { start, end } of keysValues(source)) {
    const value = source.slice(start, end);
    const escapedValue = value.replace(/\\[\s\S]|"/g, (found) => (found === '"' ? '\\"' : found));
    escaped += source.slice(position, start) + escapedValue;
    position = end;
  }
  escaped += source.slice(position);
  return isJsonOf(source, escaped) && isOfTheSameText(source, escaped) ? escaped : undefined;
}

/** The texts of keys, up to the quote that ends them. Not one pattern: that would take quadratic time where none ends. */
function* keysValues(source: string): Generator<{ start: number; end: number }> {
  const opening = new RegExp(beginsValue);
  while (opening.test(source)) {
    const start = opening.lastIndex;
    const ending = new RegExp(escapedOrEnd);
    ending.lastIndex = start;
    let end = ending.exec(source);
    while (end && end[0] !== quote) end = ending.exec(source);
    if (!end) return;
    yield { start, end: end.index };
    opening.lastIndex = ending.lastIndex;
  }
}

/** Quotes of typography stand for straight ones where a string may begin or end. */
function straightenQuotes(source: string): string {
  return source.replace(/(?<=[{[,:]\s?)[“”„‟]|[“”„‟](?=\s?[:,\]}])/g, '"');
}

function removeDoubledCommas(source: string): string {
  return source.replace(stringOrDoubledComma, (found) => (found.startsWith(",") ? "," : found));
}

/** The prepared text is repaired, and compared with the model's. */
function repairSource(prepared: string, source: string): string | undefined {
  try {
    const repaired = jsonrepair(prepared);
    return isJsonOf(source, repaired) && isOfTheSameText(source, repaired) ? repaired : undefined;
  } catch (error) {
    // Deep nesting exceeds the stack of its recursive parser.
    if (error instanceof JSONRepairError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A string between marks of JSON's structure. */
const sureString =
  /(?<=[{[,:]\s{0,20})(?:"(?:[^"\\]|\\[\s\S])*"|“[^”]*”|'(?:[^'\\]|\\[\s\S])*')(?=\s{0,20}(?:[:,}\]]|$))/g;

function isOfOneCall(source: string, repaired: string, marker: string): boolean {
  if (marker === "" || !repaired.includes(marker)) return true;
  return !source.replace(sureString, "").includes(marker);
}

/**
 * One backslash that begins no escape sequence shows that those of its string are literal: in `C:\Users\new`, `\n` is no
 * line break. The one before a single quote is a habit from other languages and is left out.
 */
function escapeBackslashes(literal: string): string {
  const withoutHabit = literal.replace(/\\[\s\S]/g, (sequence) => (sequence === "\\'" ? "'" : sequence));
  if (withoutHabit.replace(escapeSequence, markInvalid) === withoutHabit) return withoutHabit;
  if (networkShare.test(withoutHabit)) return withoutHabit.replace(/\\(?!")/g, "\\\\");
  return withoutHabit.replace(/\\["\\]|\\/g, (sequence) => (sequence === "\\" ? "\\\\" : sequence));
}

function markInvalid(sequence: string): string {
  return /^\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])$/.test(sequence) ? sequence : "";
}

function escapeControls(literal: string): string {
  // Only control characters are below the space.
  return literal.replace(/[^ -\uffff]/g, (character) => JSON.stringify(character).slice(1, -1));
}

const quotes = "\"'`´“”„‟‘’‚‛";
const bareKey = /^[A-Za-z_$][\w$-]*$/;

/**
 * Whether the repaired JSON holds the source's words and numbers, all of them, in the same order, and each of its strings
 * stands in the source without gaps and between quotes; only a key may stand without.
 */
function isOfTheSameText(source: string, repaired: string): boolean {
  if (wordsOf(source) !== wordsOf(repaired)) return false;
  if (isGuess(source, repaired)) return false;
  const decoded = decodeLoosely(source);
  let position = 0;
  for (const found of repaired.matchAll(stringLiteral)) {
    const isKey = /^\s*:/.test(
      repaired.slice(found.index + found[0].length, found.index + found[0].length + 8),
    );
    const end = findString(decoded, decodeLoosely(found[0].slice(1, -1)), position, isKey);
    if (end === -1) return false;
    position = end;
  }
  return true;
}

/** With quotes that are not escaped and brackets that are missing, it is not known where a string ends. */
function isGuess(source: string, repaired: string): boolean {
  if (closingBrackets(source) === closingBrackets(repaired)) return false;
  return Array.from(repaired.matchAll(stringLiteral)).some(
    ([literal]) => literal.includes('\\"') && !source.includes(literal),
  );
}

function closingBrackets(text: string): string {
  return /[}\]\s]*$/.exec(text)?.[0].replace(/\s/g, "") ?? "";
}

/** The position behind the string in the source, or -1. */
function findString(source: string, text: string, from: number, isKey: boolean): number {
  for (let start = source.indexOf(text, from); start !== -1; start = source.indexOf(text, start + 1)) {
    const end = start + text.length;
    // A quote belongs to one string only.
    const isOpened = start > from && isQuote(source.charAt(start - 1));
    const isClosed = isQuote(source.charAt(end));
    if (isOpened && isClosed) return end + 1;
    if (isKey && bareKey.test(text) && isBare(source, start, end)) return end;
    if (start >= source.length) return -1;
  }
  return -1;
}

/** Whether a key without quotes can stand here. */
function isBare(source: string, start: number, end: number): boolean {
  return /[\s{,]/.test(source.charAt(start - 1)) && /^\s{0,8}:/.test(source.slice(end, end + 9));
}

function isQuote(character: string): boolean {
  return character !== "" && quotes.includes(character);
}

/** All characters but white space, quotes, backslashes and the marks of JSON's structure; literals as in JSON. */
function wordsOf(text: string): string {
  return decodeLoosely(text)
    .replace(/[^!-\uffff]|[\s"'`´“”„‟‘’‚‛\\,:;{}[\]()]/g, "")
    .replaceAll("None", "null")
    .replaceAll("True", "true")
    .replaceAll("False", "false");
}

const escapedCharacters: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** The text with all escape sequences replaced by what they mean, inside and outside of strings. */
function decodeLoosely(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_sequence, code: string) =>
    code.length === 5
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (escapedCharacters[code] ?? code),
  );
}
