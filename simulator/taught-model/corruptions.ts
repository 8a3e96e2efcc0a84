import { asString, type JsonObject, parseObject } from "../json.js";
import type { WrittenCall } from "./call-families.js";

/** Ways in which models write a call that is meant well. Each is applied to the arguments, or to the whole answer. */
const argumentCorruptions = {
  /** The brackets that close the arguments are missing. */
  "no-brackets": (json: string) => json.replace(/[}\]\s]+$/, ""),
  "trailing-comma": (json: string) => json.replace(/(?<=[^{\s])\}$/, ",}"),
  "raw-newline": (json: string) =>
    replaceInStrings(json, (text) => text.replace(/(?<!\\)\\n/g, "\n").replace(/(?<!\\)\\t/g, "\t")),
  "smart-quotes": (json: string) => replaceStrings(json, (text) => `“${text}”`),
  "single-quotes": (json: string) =>
    replaceStrings(json, (text) => `'${text.replace(/\\"/g, '"').replace(/'/g, "\\'")}'`),
  "python-literals": (json: string) => replaceOutsideStrings(json),
  /** Backslashes are not escaped, as in Windows paths. */
  "bare-backslash": (json: string) => replaceInStrings(json, (text) => text.replace(/\\\\/g, "\\")),
  /** Numbers and booleans are strings. */
  "number-strings": (json: string) =>
    mapValues(json, (value) => (typeof value === "object" ? value : String(value))),
  /** Lists and objects are strings with JSON in them. */
  "nested-strings": (json: string) =>
    mapValues(json, (value) => (typeof value === "object" ? JSON.stringify(value) : value)),
  /** The arguments are a string with JSON in it. */
  "json-string": (json: string) => JSON.stringify(json),
  "extra-bracket": (json: string) => `${json}}`,
} satisfies Record<string, (json: string) => string>;

const answerCorruptions = {
  fence: (text: string) => `\`\`\`json\n${text}\n\`\`\``,
  "no-tag-end": (text: string) => text.replace(/\s*(<\/[\w-]+>|<\|[\w]+_end\|>)\s*$/, ""),
  double: (text: string) => `${text}\n${text}`,
  /** The answer ends, completed, in the middle of the call. */
  "half-call": (text: string) => text.slice(0, Math.ceil((text.length * 2) / 3)),
  /** The tag has another word. */
  "wrong-word": (text: string) => text.replace(/(?<=<\/?call-)[a-z0-9]{4}(?=>)/g, "zzzz"),
} satisfies Record<string, (text: string) => string>;

export type Corruption = keyof typeof argumentCorruptions | keyof typeof answerCorruptions;

export const corruptionNames: readonly string[] = [
  ...Object.keys(argumentCorruptions),
  ...Object.keys(answerCorruptions),
];

export function isCorruption(name: string): name is Corruption {
  return corruptionNames.includes(name);
}

function isArgumentCorruption(name: Corruption): name is keyof typeof argumentCorruptions {
  return name in argumentCorruptions;
}

/** The last of the calls with corrupted arguments; unchanged if the corruption concerns the whole answer. */
export function corruptArguments(calls: readonly WrittenCall[], corruption: Corruption): WrittenCall[] {
  if (!isArgumentCorruption(corruption)) return [...calls];
  const corrupt = argumentCorruptions[corruption];
  return calls.map((call, index) =>
    index === calls.length - 1 ? { ...call, json: corrupt(call.json) } : call,
  );
}

/** The answer with a corruption that concerns all of it. With missing brackets, those of the call are missing, too. */
export function corruptAnswer(text: string, corruption: Corruption): string {
  if (corruption === "no-brackets") return text.replace(/\}?\s*(<\/[\w-]+>|<\|\w+_end\|>\s*)*$/, "");
  return isArgumentCorruption(corruption) ? text : answerCorruptions[corruption](text);
}

const stringPattern = /"((?:[^"\\]|\\.)*)"/g;

function replaceStrings(json: string, replace: (text: string) => string): string {
  return json.replace(stringPattern, (_, text: string) => replace(text));
}

function replaceInStrings(json: string, replace: (text: string) => string): string {
  return replaceStrings(json, (text) => `"${replace(text)}"`);
}

const pythonLiterals: Partial<Record<string, string>> = { true: "True", false: "False", null: "None" };

function replaceOutsideStrings(json: string): string {
  return json.replace(
    /"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g,
    (token) => pythonLiterals[token] ?? token,
  );
}

function mapValues(json: string, map: (value: unknown) => unknown): string {
  const values = parseObject(json);
  if (!values) return json;
  const entries = Object.entries(values).map(([key, value]) => [key, value === null ? null : map(value)]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** The arguments with their longest text replaced. */
export function replaceLongestText(json: string, text: string): string {
  const values: JsonObject = parseObject(json) ?? {};
  const texts = Object.entries(values).filter(([, value]) => typeof value === "string");
  const [longest] = texts.sort(([, a], [, b]) => (asString(b) ?? "").length - (asString(a) ?? "").length);
  return JSON.stringify({ ...values, [longest?.[0] ?? "content"]: text });
}
