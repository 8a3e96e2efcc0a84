import { readFileSync, writeFileSync } from "node:fs";

const path = "docs/performance.md";

/** Puts the report of one part into the documentation, in place of the one before. Throws where it has no place there. */
export function document(part: string, report: string): void {
  const page = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- bench: ${part} -->`, "<!-- end -->"];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`${path} has no place for ${part}: ${begin} … ${end}`);
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${report}\n${page.slice(to)}`);
}
