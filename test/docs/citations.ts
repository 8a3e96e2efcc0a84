import type { Sections } from "./sections.js";

/** Documents under `docs/` by file name; undefined where two have the same one. */
export type Documents = ReadonlyMap<string, { path: string; sections: Sections } | undefined>;

/** A citation in a comment: `kimi-web.md §2.5, §2.9` is one, with two places. */
export type Citation = { line: number; text: string; document: string; places: Place[] };

/** `from` and `to` are the same, but for ranges such as `§2–§5` and `rows 12–17`. */
type Place =
  | { kind: "section"; from: string; to: string }
  | { kind: "row"; from: number; to: number; section: string | undefined }
  | { kind: "title"; title: string };

/** The name of a document, with its path or without. */
const document = /((?:[\w.-]+\/)*[\w-][\w.-]*\.md)\b/g;
/** A section of something else: `design §4`. Specifications of others are not ours to check: `RFC 9112 §7.1`. */
const elsewhere = /(?:(\w+)\s)?(?<!RFC \d+ )(?<!\.html )§/g;

const number = String.raw`(?:\d+(?:\.\d+)*|[A-Z](?:\.\d+)*(?!\w))`;
const section = new RegExp(
  String.raw`\s*(?:§\s?(${number})|([A-Z](?:\.\d+)*)(?!\w))(?:[–-]§?(${number}))?`,
  "y",
);
const row = /\s*rows? (\d+)(?:[–-](\d+))?/y;
const title = /,?\s*“([^”]+)”/y;
const separator = /\s*(?:,|and\b)(?=\s)/y;

/** The citations in a TypeScript file's comments, in order. */
export function citationsIn(source: string): Citation[] {
  return commentsIn(source).flatMap(citationsOf);
}

type Comment = { line: number; text: string };

function citationsOf({ line, text }: Comment): Citation[] {
  const names = [...text.matchAll(document), ...text.matchAll(elsewhere)].sort((a, b) => a.index - b.index);
  const citations: Citation[] = [];
  let end = 0;
  for (const { index, 1: name = "" } of names) {
    // A section that continues the list of the citation before.
    if (index < end) continue;
    const { places, end: placesEnd } = placesAt(text, index + name.length);
    end = placesEnd;
    const linesBefore = text.slice(0, index).split("\n").length - 1;
    const whole = text.slice(index, end).replace(/\s+/g, " ");
    citations.push({ line: line + linesBefore, text: whole, document: name || "§", places });
  }
  return citations;
}

/** What is wrong with a citation; undefined if it resolves. */
export function problemOf({ document, places }: Citation, documents: Documents): string | undefined {
  const name = document.split("/").at(-1) ?? document;
  const found = documents.get(name);
  if (!documents.has(name)) return `${document} is not in docs/`;
  if (!found) return `docs/ has more than one ${name}`;
  if (document !== name && document !== found.path) return `${document} is ${found.path}`;
  for (const place of places) {
    const problem = problemOfPlace(place, found.sections);
    if (problem) return problem;
  }
  return undefined;
}

/** Comments as text without their marks, adjacent lines joined, each with the number of its first line. */
function commentsIn(source: string): Comment[] {
  const comments: Comment[] = [];
  let isBlock = false;
  let isJoined = false;
  for (const [index, code] of source.split("\n").entries()) {
    const opens: boolean = !isBlock && /^\s*\/\*/.test(code);
    const text = isBlock || opens ? code.replace(/^\s*(\/?\*+\/?)?\s?/, "") : lineComment(code);
    if (text === undefined) {
      isJoined = false;
      continue;
    }
    const last = comments.at(-1);
    if (isJoined && !opens && last) last.text += `\n${text}`;
    else comments.push({ line: index + 1, text });
    isJoined = isBlock || opens || /^\s*\/\//.test(code);
    isBlock = (isBlock || opens) && !code.includes("*/");
  }
  return comments;
}

/** The text behind `//` where it begins a comment: at the line's start or after a space, not in an address. */
function lineComment(code: string): string | undefined {
  return /(?:^|\s)\/\/\s?(.*)$/.exec(code)?.[1];
}

function placesAt(text: string, from: number): { places: Place[]; end: number } {
  const places: Place[] = [];
  let at = from;
  let next = from;
  /** The section that was named directly before, with no comma between. */
  let inside: string | undefined;
  for (;;) {
    const place = placeAt(text, next, inside);
    if (!place) return { places, end: at };
    places.push(place.place);
    at = place.end;
    inside = place.place.kind === "section" ? place.place.from : undefined;
    const between = matchAt(separator, text, at);
    if (between) inside = undefined;
    next = between?.end ?? at;
  }
}

function placeAt(
  text: string,
  at: number,
  inside: string | undefined,
): { place: Place; end: number } | undefined {
  const cited = matchAt(section, text, at);
  if (cited) {
    const from = cited.groups[0] ?? cited.groups[1] ?? "";
    return { place: { kind: "section", from, to: cited.groups[2] ?? from }, end: cited.end };
  }
  const rows = matchAt(row, text, at);
  if (rows) {
    const from = Number(rows.groups[0]);
    const to = Number(rows.groups[1] ?? from);
    return { place: { kind: "row", from, to, section: inside }, end: rows.end };
  }
  const named = matchAt(title, text, at);
  return named && { place: { kind: "title", title: named.groups[0] ?? "" }, end: named.end };
}

function matchAt(pattern: RegExp, text: string, at: number) {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match ? { groups: match.slice(1), end: at + match[0].length } : undefined;
}

function problemOfPlace(place: Place, { numbers, titles, rows }: Sections): string | undefined {
  switch (place.kind) {
    case "section": {
      const missing = between(place.from, place.to).find((each) => !numbers.has(each));
      return missing && `there is no §${missing}`;
    }
    case "row": {
      const { section } = place;
      const tables = section === undefined ? [...rows.values()] : [rows.get(section) ?? new Set<number>()];
      const wanted = range(place.from, place.to);
      const having = tables.filter((table) => wanted.every((each) => table.has(each)));
      const where = section === undefined ? "" : ` in §${section}`;
      if (having.length === 0) return `there is no row ${wanted.join(", ")}${where}`;
      return having.length > 1 ? `row ${place.from} is in several tables; name its section` : undefined;
    }
    case "title":
      return titles.has(place.title) ? undefined : `there is no heading “${place.title}”`;
  }
}

/** The sections of a range: `2.4` to `2.6` are three. */
function between(from: string, to: string): string[] {
  const [parent, first] = lastPart(from);
  const [otherParent, last] = lastPart(to);
  if (parent !== otherParent || Number.isNaN(first) || Number.isNaN(last)) return [...new Set([from, to])];
  return range(first, last).map((each) => `${parent}${each}`);
}

function lastPart(section: string): [parent: string, last: number] {
  const at = section.lastIndexOf(".") + 1;
  return [section.slice(0, at), Number(section.slice(at))];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(1, to - from + 1) }, (_, index) => from + index);
}
