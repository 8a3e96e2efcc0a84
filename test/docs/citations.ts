import type { Sections } from "./sections.js";

/** Documents under `docs/` by file name; undefined if several documents have this name. `path` is from the root. */
export type Documents = ReadonlyMap<string, { path: string; sections: Sections } | undefined>;

/**
 * A citation in a comment: `kimi-web.md §2.5, §2.9` is one citation with two locations. `document` is the name as cited,
 * with its path if it has one; `line` is the line of the file, from 1.
 */
export type Citation = { line: number; text: string; document: string; locations: Location[] };

/** What is cited of a document. `from` and `to` differ only for a range, such as `§2–§5` or `rows 12–17`. */
type Location =
  | { kind: "section"; from: string; to: string }
  | { kind: "row"; from: number; to: number; section: string | undefined }
  | { kind: "title"; title: string };

/** The name of a document, with or without its path. */
const documentPattern = /((?:[\w.-]+\/)*[\w-][\w.-]*\.md)\b/g;
/** A section of something that is no `.md` file: `design §4`. Sections of RFCs and of `.html` pages do not match. */
const sectionSignPattern = /(?:(\w+)\s)?(?<!RFC \d+ )(?<!\.html )§/g;

const sectionNumber = String.raw`(?:\d+(?:\.\d+)*|[A-Z](?:\.\d+)*(?!\w))`;
const sectionPattern = new RegExp(
  String.raw`\s*(?:§\s?(${sectionNumber})|([A-Z](?:\.\d+)*)(?!\w))(?:[–-]§?(${sectionNumber}))?`,
  "y",
);
const rowPattern = /\s*rows? (\d+)(?:[–-](\d+))?/y;
const titlePattern = /,?\s*“([^”]+)”/y;
const separatorPattern = /\s*(?:,|and\b)(?=\s)/y;

/** The citations in a TypeScript file's comments, in order. */
export function findCitations(source: string): Citation[] {
  return findComments(source).flatMap(parseCitations);
}

/** The text of a comment, and the line of the file on which it begins. */
type Comment = { line: number; text: string };

function parseCitations({ line, text }: Comment): Citation[] {
  const starts = [...text.matchAll(documentPattern), ...text.matchAll(sectionSignPattern)].sort(
    (a, b) => a.index - b.index,
  );
  const citations: Citation[] = [];
  let end = 0;
  for (const { index, 1: name = "" } of starts) {
    // This section belongs to the previous citation.
    if (index < end) continue;
    const { locations, end: locationsEnd } = parseLocations(text, index + name.length);
    end = locationsEnd;
    const linesBefore = text.slice(0, index).split("\n").length - 1;
    const citationText = text.slice(index, end).replace(/\s+/g, " ");
    citations.push({
      line: line + linesBefore,
      text: citationText,
      document: name || "§",
      locations,
    });
  }
  return citations;
}

/** What is wrong with a citation; undefined if it resolves. */
export function findProblem({ document, locations }: Citation, documents: Documents): string | undefined {
  const name = document.split("/").at(-1) ?? document;
  const found = documents.get(name);
  if (!documents.has(name)) return `${document} is not in docs/`;
  if (!found) return `docs/ has more than one ${name}`;
  if (document !== name && document !== found.path) return `${document} is ${found.path}`;
  for (const location of locations) {
    const problem = findLocationProblem(location, found.sections);
    if (problem) return problem;
  }
  return undefined;
}

/** The comments of a file, without comment signs. Adjacent `//` lines are one comment. */
function findComments(source: string): Comment[] {
  const comments: Comment[] = [];
  let isBlock = false;
  let isJoined = false;
  for (const [index, code] of source.split("\n").entries()) {
    const startsBlock: boolean = !isBlock && /^\s*\/\*/.test(code);
    const text = isBlock || startsBlock ? code.replace(/^\s*(\/?\*+\/?)?\s?/, "") : parseLineComment(code);
    if (text === undefined) {
      isJoined = false;
      continue;
    }
    const last = comments.at(-1);
    if (isJoined && !startsBlock && last) last.text += `\n${text}`;
    else comments.push({ line: index + 1, text });
    isJoined = isBlock || startsBlock || /^\s*\/\//.test(code);
    isBlock = (isBlock || startsBlock) && !code.includes("*/");
  }
  return comments;
}

/** The text after `//` at the start of the line or after a space; undefined if there is none, as in `http://`. */
function parseLineComment(code: string): string | undefined {
  return /(?:^|\s)\/\/\s?(.*)$/.exec(code)?.[1];
}

/** The locations listed in the text from this offset, and the offset after the last one. */
function parseLocations(text: string, from: number): { locations: Location[]; end: number } {
  const locations: Location[] = [];
  let locationsEnd = from;
  let nextStart = from;
  /** The section cited directly before, without a comma: a row after it is a row of this section. */
  let enclosingSection: string | undefined;
  for (;;) {
    const parsed = parseLocation(text, nextStart, enclosingSection);
    if (!parsed) return { locations, end: locationsEnd };
    locations.push(parsed.location);
    locationsEnd = parsed.end;
    enclosingSection = parsed.location.kind === "section" ? parsed.location.from : undefined;
    const listSeparator = matchAt(separatorPattern, text, locationsEnd);
    if (listSeparator) enclosingSection = undefined;
    nextStart = listSeparator?.end ?? locationsEnd;
  }
}

function parseLocation(
  text: string,
  start: number,
  enclosingSection: string | undefined,
): { location: Location; end: number } | undefined {
  const sectionMatch = matchAt(sectionPattern, text, start);
  if (sectionMatch) {
    const from = sectionMatch.groups[0] ?? sectionMatch.groups[1] ?? "";
    return { location: { kind: "section", from, to: sectionMatch.groups[2] ?? from }, end: sectionMatch.end };
  }
  const rowMatch = matchAt(rowPattern, text, start);
  if (rowMatch) {
    const from = Number(rowMatch.groups[0]);
    const to = Number(rowMatch.groups[1] ?? from);
    return { location: { kind: "row", from, to, section: enclosingSection }, end: rowMatch.end };
  }
  const titleMatch = matchAt(titlePattern, text, start);
  return (
    titleMatch && { location: { kind: "title", title: titleMatch.groups[0] ?? "" }, end: titleMatch.end }
  );
}

/** Matches a sticky pattern at this offset; `end` is the offset after the match. */
function matchAt(pattern: RegExp, text: string, offset: number) {
  pattern.lastIndex = offset;
  const match = pattern.exec(text);
  return match ? { groups: match.slice(1), end: offset + match[0].length } : undefined;
}

function findLocationProblem(location: Location, { numbers, titles, rows }: Sections): string | undefined {
  switch (location.kind) {
    case "section": {
      const missing = sectionsInRange(location.from, location.to).find((each) => !numbers.has(each));
      return missing && `there is no §${missing}`;
    }
    case "row": {
      const { section } = location;
      const tables = section === undefined ? [...rows.values()] : [rows.get(section) ?? new Set<number>()];
      const citedRows = numbersInRange(location.from, location.to);
      const matchingTables = tables.filter((table) => citedRows.every((each) => table.has(each)));
      const where = section === undefined ? "" : ` in §${section}`;
      if (matchingTables.length === 0) return `there is no row ${citedRows.join(", ")}${where}`;
      return matchingTables.length > 1
        ? `row ${location.from} is in several tables; name its section`
        : undefined;
    }
    case "title":
      return titles.has(location.title) ? undefined : `there is no heading “${location.title}”`;
  }
}

/** The sections from the first to the last: `2.4` to `2.6` are three. Only the two if they have different parents. */
function sectionsInRange(from: string, to: string): string[] {
  const [parent, first] = splitLastPart(from);
  const [otherParent, last] = splitLastPart(to);
  if (parent !== otherParent || Number.isNaN(first) || Number.isNaN(last)) return [...new Set([from, to])];
  return numbersInRange(first, last).map((each) => `${parent}${each}`);
}

/** Splits a section number before its last part: `2.4` into `2.` and 4. */
function splitLastPart(section: string): [parent: string, last: number] {
  const lastPartStart = section.lastIndexOf(".") + 1;
  return [section.slice(0, lastPartStart), Number(section.slice(lastPartStart))];
}

function numbersInRange(from: number, to: number): number[] {
  return Array.from({ length: Math.max(1, to - from + 1) }, (_, index) => from + index);
}
