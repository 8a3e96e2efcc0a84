import { expect, test } from "vitest";
import { type ClientParameter, clientParameters } from "../../src/api/openai-chat/client-parameters.js";
import { readText } from "./files.js";

type Words = {
  honoured: string;
  "passed on": string;
  "same as": (target: string) => string;
  "no effect": string;
};

const pages: [page: string, words: Words][] = [
  [
    "docs/reference/parameters.md",
    {
      honoured: "honoured",
      "passed on": "passed on",
      "same as": (target) => `the same as \`${target}\``,
      "no effect": "no effect",
    },
  ],
  [
    "docs/reference/parameters.zh-CN.md",
    {
      honoured: "生效",
      "passed on": "转发",
      "same as": (target) => `同 \`${target}\``,
      "no effect": "无效果",
    },
  ],
];

function tableRow(name: string, parameter: ClientParameter, words: Words): string {
  const word = parameter.effect === "same as" ? words["same as"](parameter.target) : words[parameter.effect];
  const { hostname, pathname } = new URL(parameter.source);
  const label = hostname === "github.com" ? pathname.slice(1).replace("/blob/", "/") : hostname;
  const cells = [`\`${name}\``, parameter.type, word, parameter.clients, `[${label}](${parameter.source})`];
  return `| ${cells.join(" | ")} |`;
}

test.each(pages)("%s lists every parameter, as the program has it", (page, words) => {
  const documented = readText(page)
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const rows = Object.entries<ClientParameter>(clientParameters).map(([name, parameter]) =>
    tableRow(name, parameter, words),
  );
  expect(documented).toEqual(rows);
});
