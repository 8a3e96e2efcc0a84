import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { listFiles, readText, repositoryRoot } from "./files.js";
import { findLinkProblem, findLinks } from "./links.js";
import { parseSections } from "./sections.js";

const pages = [
  ...readdirSync(repositoryRoot).filter((name) => /^(README|CONTRIBUTING)(\..+)?\.md$/.test(name)),
  ...listFiles("docs", ".md"),
];

const repository = {
  exists: (path: string) => existsSync(`${repositoryRoot}/${path}`),
  isFolder: (path: string) => statSync(`${repositoryRoot}/${path}`).isDirectory(),
  anchors: (path: string) => parseSections(readText(path)).anchors,
};

describe("links in the documentation", () => {
  test("every relative link and anchor resolves, and Chinese pages link to Chinese ones", () => {
    const problems = pages.flatMap((page) =>
      findLinks(readText(page)).flatMap(({ line, target }) => {
        const problem = findLinkProblem(page, target, repository);
        return problem ? [`${page}:${line}: ${problem}`] : [];
      }),
    );
    expect(problems).toEqual([]);
  });

  test("every Chinese page has an English original", () => {
    const chinese = pages.filter((page) => page.endsWith(".zh-CN.md"));
    expect(chinese.filter((page) => !pages.includes(page.replace(".zh-CN.md", ".md")))).toEqual([]);
  });
});

describe("the check itself", () => {
  const testPages: Record<string, string> = {
    "README.md": "# Moonbridge",
    "README.zh-CN.md": "# 月桥",
    "docs/guide/start.md": "# Start\n## Two commands: `npm` & more\n## Two commands: `npm` & more",
    "docs/guide/start.zh-CN.md": "# 开始\n## 两条 命令",
    "docs/wire.md": "# Wire",
  };
  const testRepository = {
    exists: (path: string) => path in testPages || path === "docs",
    isFolder: (path: string) => path === "docs",
    anchors: (path: string) => parseSections(testPages[path] ?? "").anchors,
  };
  const check = (page: string, markdown: string) =>
    findLinks(markdown).flatMap(({ target }) => findLinkProblem(page, target, testRepository) ?? []);

  test.each([
    [
      "README.md",
      "[a](docs/guide/start.md#two-commands-npm--more) [b](docs/guide/start.md#two-commands-npm--more-1)",
    ],
    ["README.md", "[a](docs) [b](https://example.org/x.md#y) [c](mailto:a@example.org)"],
    ["docs/wire.md", "`[a](gone.md)` and ``[b](`gone.md`)``\n```\n[c](gone.md)\n```"],
    ["docs/guide/start.md", "[中文](start.zh-CN.md) ![](../wire.md)"],
    [
      "docs/guide/start.zh-CN.md",
      "[English](start.md) [a](#两条-命令) [b](../wire.md) [c](../../README.zh-CN.md)",
    ],
  ])("accepts, in %s: %s", (page, markdown) => {
    expect(check(page, markdown)).toEqual([]);
  });

  test.each([
    ["README.md", "[a](docs/gone.md)", "docs/gone.md does not exist"],
    ["README.md", "[a](docs/wire.md#gone)", "docs/wire.md has no #gone"],
    ["README.md", "[a](#gone)", "README.md has no #gone"],
    ["docs/wire.md", "[a](guide/start.md 'title') [b](../../x.md)", "../x.md is outside the repository"],
    ["docs/wire.md", "[a]\n\n[a]: gone.md", "docs/gone.md does not exist"],
    ["README.zh-CN.md", "[a](docs/guide/start.md)", "docs/guide/start.md has a Chinese version"],
  ])("refuses, in %s: %s", (page, markdown, problem) => {
    expect(check(page, markdown)).toEqual([problem]);
  });
});
