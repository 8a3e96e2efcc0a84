/** What of a Markdown document can be cited or linked to. */
export type Sections = {
  /** Numbers of headings (`2.5`, `A.4.1`), and of the items of ordered lists under them (`0.9`). */
  numbers: ReadonlySet<string>;
  /** Texts of headings, without Markdown and numbers kept. */
  titles: ReadonlySet<string>;
  /** For each section number: the rows of its tables that begin with a number. */
  rows: ReadonlyMap<string, ReadonlySet<number>>;
  /** Ids that a forge gives to headings, and explicit ones. */
  anchors: ReadonlySet<string>;
};

/** Reads the structure of a document; code blocks are left out. */
export function sectionsOf(markdown: string): Sections {
  const numbers = new Set<string>();
  const titles = new Set<string>();
  const rows = new Map<string, Set<number>>();
  const anchors = new Set<string>();
  let section = "";
  for (const line of withoutCode(markdown).split("\n")) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) {
      section = /^(\d+|[A-Z](?=[.\s]))(\.\d+)*(?=[.\s]|$)/.exec(heading)?.[0] ?? "";
      if (section !== "") numbers.add(section);
      titles.add(plain(heading));
      anchors.add(unique(slug(heading), anchors));
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

/** The document with the content of code blocks blanked; lines keep their numbers. */
export function withoutCode(markdown: string): string {
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

/** A heading as GitHub makes an id of it. */
function slug(heading: string): string {
  return plain(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function unique(id: string, taken: ReadonlySet<string>): string {
  let free = id;
  for (let count = 1; taken.has(free); count++) free = `${id}-${count}`;
  return free;
}

function plain(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .trim();
}
