import { posix } from "node:path";
import { withoutCode } from "./sections.js";

/** What a link may lead to. Paths are from the repository's root. */
type Repository = {
  exists(path: string): boolean;
  isFolder(path: string): boolean;
  /** The anchors of a page. */
  anchors(path: string): ReadonlySet<string>;
};

/** Links and images of a page, inline or as a definition, with the line each stands on; none of those inside code. */
export function linksIn(markdown: string): { line: number; target: string }[] {
  const text = withoutCode(markdown).replace(/(?<!`)(`+)(?!`)([\s\S]*?)(?<!`)\1(?!`)/g, (code) =>
    code.replace(/[^\n]/g, " "),
  );
  const inline = [...text.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+["'(][^\n]*?["')])?\s*\)/g)];
  const definitions = [...text.matchAll(/^ {0,3}\[[^\]\n]+\]:\s*<?([^\s>]+)>?/gm)];
  return [...inline, ...definitions].map(({ index, 1: target = "" }) => ({
    line: text.slice(0, index).split("\n").length,
    target,
  }));
}

/** What is wrong with a link of a page; undefined for good ones and for those that leave the repository. */
export function problemOfLink(page: string, target: string, repository: Repository): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined;
  const [encoded = "", anchor] = target.split("#", 2);
  const file = decodeURIComponent(encoded);
  const path = file === "" ? page : posix.normalize(posix.join(posix.dirname(page), file));
  if (path.startsWith("../")) return `${path} is outside the repository`;
  if (!repository.exists(path)) return `${path} does not exist`;
  if (page.endsWith(chinese) && path !== english(page) && hasChinese(path, repository)) {
    return `${path} has a Chinese version`;
  }
  if (anchor === undefined || repository.isFolder(path) || !path.endsWith(".md")) return undefined;
  return repository.anchors(path).has(decodeURIComponent(anchor)) ? undefined : `${path} has no #${anchor}`;
}

const chinese = ".zh-CN.md";

/** The page that a Chinese one translates: the switch of languages leads there. */
function english(page: string): string {
  return page.replace(chinese, ".md");
}

function hasChinese(path: string, repository: Repository): boolean {
  return path.endsWith(".md") && !path.endsWith(chinese) && repository.exists(path.replace(/\.md$/, chinese));
}
