import { JSONRepairError, jsonrepair } from "jsonrepair";
import { limits } from "../../core/limits.js";

/** String literals, closed by a quote or not at all; a quote behind a backslash closes none. */
const stringLiteral = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?/g;
const escapeSequence = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])|\\/g;
/** A drive or a network share at the beginning of a path, as in the JSON text. */
const windowsPath = /^"\s*(?:[A-Za-z]:\\|\\\\[^\\])|[\s'=(,;][A-Za-z]:\\/;
const networkShare = /^"\s*\\\\[^\\]/;
const controlCharacter = /[\u0000-\u001f]/g;
const fence = /^\s*```[a-z]{0,10}\s*|\s*```\s*$/g;

/**
 * Repairs the JSON of a call: code fences, line breaks in strings, trailing commas, quotes of typography, literals of
 * Python, backslashes that begin no escape sequence (as in Windows paths), missing closing brackets. Returns undefined
 * where a repair would have to invent a value or leave one out.
 */
export function repairJson(text: string): string | undefined {
  const source = text.replace(fence, "").replace(stringLiteral, escapeBackslashes);
  const withoutControls = source.replace(stringLiteral, escapeControls);
  if (isJson(withoutControls)) return withoutControls;
  if (source.length > limits.toolCallRepair) return undefined;
  try {
    const repaired = jsonrepair(source);
    return isJson(repaired) && isOfTheSameText(source, repaired) ? repaired : undefined;
  } catch (error) {
    // Deep nesting exceeds the stack of its recursive parser.
    if (error instanceof JSONRepairError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether the text is a JSON object or array. */
function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/**
 * Doubles the backslashes of a string literal that begin no escape sequence. In a Windows path with such a one, none of the
 * others was meant as an escape sequence: in `C:\Users\new`, `\n` is no line break.
 */
function escapeBackslashes(literal: string): string {
  const double = (sequence: string) => (sequence === "\\" ? "\\\\" : sequence);
  const withValid = literal.replace(escapeSequence, double);
  if (withValid === literal || !windowsPath.test(literal)) return withValid;
  if (networkShare.test(literal)) return literal.replace(/\\(?!")/g, "\\\\");
  return literal.replace(/\\["\\]|\\/g, double);
}

function escapeControls(literal: string): string {
  return literal.replace(controlCharacter, (character) => JSON.stringify(character).slice(1, -1));
}

/**
 * Whether the repaired JSON holds the source's words and numbers, all of them, in the same order, and each of its strings
 * stands in the source without gaps.
 */
function isOfTheSameText(source: string, repaired: string): boolean {
  if (wordsOf(source) !== wordsOf(repaired)) return false;
  const pieces = [...repaired.matchAll(stringLiteral)].map(([literal]) =>
    decodeLoosely(literal.slice(1, -1)),
  );
  const decoded = decodeLoosely(source);
  let position = 0;
  for (const piece of pieces) {
    const found = decoded.indexOf(piece, position);
    if (found === -1) return false;
    position = found + piece.length;
  }
  return true;
}

/** All characters but white space, quotes, backslashes and the marks of JSON's structure; literals as in JSON. */
function wordsOf(text: string): string {
  return decodeLoosely(text)
    .replace(/[\s\u0000-\u001f"'`“”‘’„´\\,:;{}[\]()]+/g, "")
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
