/** The parts of a Markdown document that citations and links can refer to. */
export type Sections = {
  /** The numbers of headings (`2.5`, `A.4.1`), and of the items of ordered lists below them (`0.9`: item 9 of section 0). */
  numbers: ReadonlySet<string>;
  /** The texts of headings, including their numbers, without Markdown formatting. */
  titles: ReadonlySet<string>;
  /** The numbered table rows of each section: row numbers by section number. */
  rows: ReadonlyMap<string, ReadonlySet<number>>;
  /** The ids of headings as GitHub generates them, and of `<a id>` elements. */
  anchors: ReadonlySet<string>;
};

/** Parses the structure of a document; code blocks are ignored. */
export function parseSections(markdown: string): Sections {
  const numbers = new Set<string>();
  const titles = new Set<string>();
  const rows = new Map<string, Set<number>>();
  const anchors = new Set<string>();
  let section = "";
  for (const line of blankCodeBlocks(markdown).split("\n")) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) {
      section = /^(\d+|[A-Z](?=[.\s]))(\.\d+)*(?=[.\s]|$)/.exec(heading)?.[0] ?? "";
      if (section !== "") numbers.add(section);
      titles.add(stripMarkdown(heading));
      anchors.add(uniqueAnchor(headingAnchor(heading), anchors));
      continue;
    }
    for (const [, id] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) if (id) anchors.add(id);
    const item = /^(\d+)\.\s/.exec(line)?.[1];
    if (item && section !== "") numbers.add(`${section}.${item}`);
    const row = /^\|\s*(\d+)\s*\|/.exec(line)?.[1];
    if (row) rows.set(section, (rows.get(section) ?? new Set()).add(Number(row)));
  }
  return { numbers, titles, rows, anchors };
}

/** The document with empty lines in place of code blocks, so that line numbers stay the same. */
export function blankCodeBlocks(markdown: string): string {
  let fence = "";
  return markdown
    .split("\n")
    .map((line) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
      if (fence === "" && mark === "") return line;
      if (fence === "") fence = mark;
      else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
      return "";
    })
    .join("\n");
}

/** The id that GitHub generates for a heading, before duplicates are numbered. */
function headingAnchor(heading: string): string {
  return stripMarkdown(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

/** The id with the lowest number appended that makes it unique, as GitHub does; the id itself if it is not taken. */
function uniqueAnchor(id: string, taken: ReadonlySet<string>): string {
  let candidate = id;
  for (let count = 1; taken.has(candidate); count++) candidate = `${id}-${count}`;
  return candidate;
}

function stripMarkdown(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .trim();
}
