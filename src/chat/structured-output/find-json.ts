import { limits } from "../../core/limits.js";
import { JsonEnd } from "../tools/json-end.js";
import { type JsonText, readJsonValue } from "../tools/json-text.js";

/** The JSON of an answer. `isBroken`: something begins like JSON but cannot be read. */
export type FoundValues = { values: FoundJson[]; isBroken: boolean };

export type FoundJson = {
  value: unknown;
  /** The model's own characters, repaired where they had to be. */
  text: string;
  /** Nothing but white space, code fences and surplus brackets is around it. */
  isAlone: boolean;
  /** It is all that a code fence has. */
  isFenced: boolean;
};

const fenceLine = /^`{3,}[^\n`]{0,20}\n/;
const fenceInFront = /`{3,}[\w-]{0,20}\s*$/;
const onlyFenceInFront = /^\s*(?:`{3,}[\w-]{0,20}\s*)?$/;
const fenceBehind = /^[\s}\]]*(?:`{3}|$)/;
const nothingBehind = /^[\s`}\]]*$/;
/** A footnote, a box to tick or a range. */
const footnote = /^\[[\d\s,–-]*\]$/;
/** Characters in front of a value in which its fence is looked for. */
const fenceLength = 48;

/**
 * Finds the JSON in a whole answer: the answer itself, or the objects and arrays in it, from the outside in. Numbers, texts
 * and literals count only if they are the whole answer. What would need an invented value to be JSON is left out.
 */
export function findJson(answer: string): FoundValues {
  const trimmed = answer.trim();
  const whole = parseWhole(withoutEndFence(trimmed.replace(fenceLine, "")));
  if (whole) return { values: [{ ...whole, isAlone: true, isFenced: false }], isBroken: false };
  const inside = findInside(answer);
  const outermost = inside.values.length === 0 ? readOutermost(answer) : undefined;
  return outermost ? { values: [outermost], isBroken: false } : inside;
}

/**
 * The JSON that a cut answer ends in, from its first character on; an empty text if the cut is in front of it.
 */
export function findCutJson(answer: string): string {
  for (const { start, end, isStrict } of spans(answer)) {
    if (end !== -1) continue;
    const cut = answer.slice(start);
    // Objects count also with what a repair would mend.
    if (isObjectLike(cut) || (isStrict && (/^[{[]\s*$/.test(cut) || isListLike(cut)))) return cut;
  }
  return "";
}

/** Whether a text begins like JSON, not like prose in brackets. */
function isObjectLike(text: string): boolean {
  return /^\{\s*["'“”‘’}]/.test(text);
}

function isListLike(text: string): boolean {
  return /^\[\s*[[{"\d-]/.test(text);
}

function parseWhole(text: string): { value: unknown; text: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isOfUsualDepth(text) ? { value, text: text.trim() } : undefined;
  } catch {
    return undefined;
  }
}

/** Deeper JSON would exceed the stack of clients, and of what follows here. */
function isOfUsualDepth(json: string): boolean {
  const scanner = new JsonEnd();
  scanner.scan(json);
  return scanner.isStrict;
}

/** Not by a pattern: looking for the end at each of many backticks would take quadratic time. */
function withoutEndFence(text: string): string {
  const trimmed = text.trimEnd();
  let end = trimmed.length;
  while (end > 0 && trimmed.charAt(end - 1) === "`") end--;
  return trimmed.slice(0, trimmed.length - end < 3 ? trimmed.length : end);
}

function findInside(answer: string): FoundValues {
  const values: FoundJson[] = [];
  let isBroken = false;
  let maxRepair: number = limits.toolCallRepair;
  for (const { start, end, skip } of spans(answer)) {
    const source = end === -1 ? withoutEndFence(answer.slice(start)) : answer.slice(start, end);
    const json = end === -1 ? readUnclosed(source, values, maxRepair) : readJsonValue(source, { maxRepair });
    // Repairs take quadratic time, so all of an answer together are bounded.
    if (!json || json.isRepaired) maxRepair = Math.max(0, maxRepair - source.length);
    if (json && isOfUsualDepth(json.text)) {
      const around = surroundings(answer, start, end === -1 ? answer.length : end);
      if (around.isAlone || around.isFenced || !footnote.test(source)) values.push({ ...json, ...around });
      skip();
    } else if (isObjectLike(source) || isListLike(source)) {
      // A value inside of broken JSON is only a part of the answer.
      isBroken = true;
      skip();
    }
  }
  return { values, isBroken };
}

/** A bracket that is not closed is one of prose, if JSON is in front of it. Longer texts would not be repaired. */
function readUnclosed(
  source: string,
  before: readonly FoundJson[],
  maxRepair: number,
): JsonText<unknown> | undefined {
  return before.length > 0 || source.length > maxRepair ? undefined : readJsonValue(source, { maxRepair });
}

/** From the first opening bracket to the last closing one: a quote that is not escaped may hide where the value ends. */
function readOutermost(answer: string): FoundJson | undefined {
  const start = answer.search(/[{[]/);
  const end = Math.max(answer.lastIndexOf("}"), answer.lastIndexOf("]")) + 1;
  // What follows may belong to it.
  if (start === -1 || end <= start || /^\s*[,:]|["{[]/.test(answer.slice(end))) return undefined;
  const json = readJsonValue(answer.slice(start, end));
  return json && isOfUsualDepth(json.text) ? { ...json, ...surroundings(answer, start, end) } : undefined;
}

function surroundings(answer: string, start: number, end: number): Pick<FoundJson, "isAlone" | "isFenced"> {
  const isAlone = onlyFenceInFront.test(answer.slice(0, start)) && nothingBehind.test(answer.slice(end));
  const isBehindFence = fenceInFront.test(answer.slice(Math.max(0, start - fenceLength), start));
  const isInFence =
    isBehindFence && opensFence(answer.slice(0, start)) && fenceBehind.test(answer.slice(end));
  return { isAlone, isFenced: isInFence };
}

/** Whether the last fence in front opens, and does not close. */
function opensFence(before: string): boolean {
  return (before.match(/`{3,}/g) ?? []).length % 2 === 1;
}

/** Where JSON may stand. `end`: -1 if the answer ends first. `skip`: what is inside of it is left out. */
type Span = { start: number; end: number; isStrict: boolean; skip: () => void };

/** Each opening bracket, up to `limits.formatStarts` and `limits.formatReading`. */
function* spans(answer: string): Generator<Span> {
  const opening = /[{[]/g;
  let characters = 0;
  for (let count = 0; count < limits.formatStarts && characters < limits.formatReading; count++) {
    const start = opening.exec(answer)?.index;
    if (start === undefined) return;
    const json = new JsonEnd();
    const end = json.scan(answer, start);
    const last = end === -1 ? answer.length : end;
    characters += last - start;
    const skip = () => {
      opening.lastIndex = last;
    };
    yield { start, end, isStrict: json.isStrict, skip };
  }
}
