import { posix } from "node:path";
import { blankCodeBlocks } from "./sections.js";

/** The files that links can refer to. Paths are from the repository's folder. */
type Repository = {
  exists(path: string): boolean;
  isFolder(path: string): boolean;
  /** The anchors of a page. */
  anchors(path: string): ReadonlySet<string>;
};

/** The targets of all links and images of a page and of link definitions, each with its line; links in code are left out. */
export function findLinks(markdown: string): { line: number; target: string }[] {
  const text = blankCodeBlocks(markdown).replace(/(?<!`)(`+)(?!`)([\s\S]*?)(?<!`)\1(?!`)/g, (code) =>
    code.replace(/[^\n]/g, " "),
  );
  const inline = [...text.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+["'(][^\n]*?["')])?\s*\)/g)];
  const definitions = [...text.matchAll(/^ {0,3}\[[^\]\n]+\]:\s*<?([^\s>]+)>?/gm)];
  return [...inline, ...definitions].map(({ index, 1: target = "" }) => ({
    line: text.slice(0, index).split("\n").length,
    target,
  }));
}

/** The problem with a link of a page; undefined for a valid link, and for one to another host. */
export function findLinkProblem(page: string, target: string, repository: Repository): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined;
  const [encoded = "", anchor] = target.split("#", 2);
  const file = decodeURIComponent(encoded);
  const path = file === "" ? page : posix.normalize(posix.join(posix.dirname(page), file));
  if (path.startsWith("../")) return `${path} is outside the repository`;
  if (!repository.exists(path)) return `${path} does not exist`;
  if (page.endsWith(chineseSuffix) && path !== englishPage(page) && hasChineseVersion(path, repository)) {
    return `${path} has a Chinese version`;
  }
  if (anchor === undefined || repository.isFolder(path) || !path.endsWith(".md")) return undefined;
  return repository.anchors(path).has(decodeURIComponent(anchor)) ? undefined : `${path} has no #${anchor}`;
}

const chineseSuffix = ".zh-CN.md";

/** The English original of a Chinese page. A Chinese page may link to it, for readers who change the language. */
function englishPage(page: string): string {
  return page.replace(chineseSuffix, ".md");
}

function hasChineseVersion(path: string, repository: Repository): boolean {
  return (
    path.endsWith(".md") &&
    !path.endsWith(chineseSuffix) &&
    repository.exists(path.replace(/\.md$/, chineseSuffix))
  );
}
