import { readFileSync, writeFileSync } from "node:fs";

const path = "docs/performance.md";
const [begin, end] = ["<!-- npm run bench -- --document -->", "<!-- end -->"];

/** Puts the tables of this run into the documentation, in place of the ones before. */
export function document(report: string): void {
  const page = readFileSync(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${path} has no place for the tables`);
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${report}\n${page.slice(to)}`);
}
