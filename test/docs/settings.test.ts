import { readFileSync } from "node:fs";
import { type TObject, type TSchema, TypeGuard } from "@sinclair/typebox";
import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { variableNamesOf } from "../../src/config/environment.js";
import type { Meaning } from "../../src/config/field-schemas.js";
import { KeySchema } from "../../src/config/key-schema.js";
import { listSettings } from "../../src/config/list-settings.js";
import { ConfigFileSchema } from "../../src/config/schema.js";
import { isObject } from "../../src/lib/json.js";
import { upstreamKinds } from "../../src/upstreams/registry.js";
import { repositoryRoot } from "./files.js";

type Language = {
  key: keyof Meaning;
  page: string;
  introduction: string;
  columns: { setting: string; variable: string; values: string; default: string; meaning: string };
  headings: { file: string; keys: string; upstreams: string };
  text: string;
  json: string;
  listOf: (items: string) => string;
  above: string;
  required: (section?: string) => string;
};

const languages: Language[] = [
  {
    key: "en",
    page: "docs/reference/settings.md",
    introduction: `# Settings

[中文](settings.zh-CN.md)

Every setting, as the program has it. [Configuration](configuration.md) has an example and explains how they work together.
This page is generated: \`npx vitest run test/docs/settings.test.ts -u\` writes it after a change of the schemas in
\`src/config/\` and \`src/upstreams/\`.`,
    columns: {
      setting: "Setting",
      variable: "Variable",
      values: "Values",
      default: "Default",
      meaning: "Meaning",
    },
    headings: { file: "The file", keys: "Keys", upstreams: "Upstreams" },
    ...{
      text: "text",
      json: "object",
      listOf: (items) => `list: ${items}`,
      above: "above",
      required: (section) => (section ? `required with \`${section}\`` : "required"),
    },
  },
  {
    key: "zh",
    page: "docs/reference/settings.zh-CN.md",
    introduction: `# 设置项

[English](settings.md)

程序中的全部设置项。示例和各项如何配合见[配置](configuration.zh-CN.md)。本页是生成的：修改 \`src/config/\` 和 \`src/upstreams/\` 中的 schema 之后，用 \`npx vitest run test/docs/settings.test.ts -u\` 重新生成。`,
    columns: { setting: "设置项", variable: "环境变量", values: "取值", default: "默认值", meaning: "含义" },
    headings: { file: "配置文件", keys: "密钥", upstreams: "上游" },
    ...{
      text: "文字",
      json: "对象",
      listOf: (items) => `列表：${items}`,
      above: "大于",
      required: (section) => (section ? `使用 \`${section}\` 时必填` : "必填"),
    },
  },
];

const code = (value: unknown) => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

function describeValues(schema: TSchema, language: Language): string {
  if (TypeGuard.IsLiteral(schema)) return code(JSON.stringify(schema.const));
  if (TypeGuard.IsUnion(schema))
    return schema.anyOf
      .map((each) => describeValues(each, language))
      .join(language.key === "en" ? ", " : "、");
  if (TypeGuard.IsBoolean(schema)) return `${code(true)}, ${code(false)}`;
  if (TypeGuard.IsInteger(schema) || TypeGuard.IsNumber(schema)) {
    const from = schema.minimum ?? `${language.above} ${schema.exclusiveMinimum}`;
    return `${from} – ${schema.maximum}`;
  }
  if (TypeGuard.IsString(schema)) return language.text;
  if (TypeGuard.IsArray(schema)) return language.listOf(describeValues(schema.items, language));
  return language.json;
}

function meaningOf(schema: TSchema, setting: string, { key }: Language): string {
  if (!isObject(schema.meaning))
    throw new Error(`${setting} is not documented: use documented() in its schema`);
  return String(schema.meaning[key]);
}

/** `optionalSection`: a required setting of this section is required only if the section is there. */
type Row = {
  setting: string;
  schema: TSchema;
  variables?: readonly string[];
  optionalSection?: string | undefined;
  default?: unknown;
};

function table(rows: readonly Row[], language: Language): string {
  const { columns, required } = language;
  const hasVariables = rows.some(({ variables }) => variables);
  const toLine = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const withVariable = (cells: readonly string[], variable: string) =>
    hasVariables ? [cells[0] ?? "", variable, ...cells.slice(1)] : cells;
  const header = withVariable(
    [columns.setting, columns.values, columns.default, columns.meaning],
    columns.variable,
  );
  const lines = rows.map(({ setting, schema, variables = [], optionalSection, default: own }) => {
    const value = own ?? schema.default;
    const fallback = TypeGuard.IsOptional(schema) ? "" : required(optionalSection);
    const cells = [
      code(setting),
      describeValues(schema, language),
      value === undefined ? fallback : code(value),
      meaningOf(schema, setting, language),
    ];
    return toLine(withVariable(cells, variables.map(code).join(", ")));
  });
  return [toLine(header), toLine(header.map(() => "---")), ...lines].join("\n");
}

const isOptionalSection = (name: string) =>
  Object.entries<TSchema>(ConfigFileSchema.properties).some(
    ([section, schema]) => section === name && TypeGuard.IsOptional(schema),
  );

const rowsOf = ({ properties }: TObject): Row[] =>
  Object.entries(properties).map(([setting, schema]) => ({ setting, schema }));

function createPage(language: Language): string {
  const { introduction, headings } = language;
  const settings = listSettings(ConfigFileSchema).map(({ path, schema }) => ({
    ...{ setting: path.join("."), schema, variables: variableNamesOf(path) },
    optionalSection: isOptionalSection(path[0]) ? path[0] : undefined,
  }));
  const kinds = upstreamKinds.flatMap(({ kind, schema, defaultConcurrency }) => {
    const rows = rowsOf(schema).map((row) =>
      row.setting === "concurrency" ? { ...row, default: defaultConcurrency } : row,
    );
    return [`### ${kind}`, table(rows, language)];
  });
  const parts = [
    ...[introduction, `## ${headings.file}`, table(settings, language)],
    ...[`## ${headings.keys}`, table(rowsOf(KeySchema), language), `## ${headings.upstreams}`, ...kinds],
  ];
  return `${parts.join("\n\n")}\n`;
}

test.each(languages)("$page lists every setting, as the program has it", async (language) => {
  await expect(createPage(language)).toMatchFileSnapshot(`${repositoryRoot}/${language.page}`);
});

describe.each(["docs/reference/configuration.md", "docs/reference/configuration.zh-CN.md"])("%s", (page) => {
  const text = readFileSync(`${repositoryRoot}/${page}`, "utf8");
  const example = parse(/```jsonc\n(\{\n {2}"server"[\s\S]*?\n)```/.exec(text)?.[1] ?? "");

  test.each(listSettings(ConfigFileSchema).filter(({ schema }) => schema.default !== undefined))(
    "its example has $path with its default",
    ({ path: [section, key], schema }) => {
      const value = key === undefined ? example[section] : example[section]?.[key];
      // For these the example shows what an entry looks like.
      if (["keys", "upstreams", "routes", "modelAliases"].includes(section)) expect(value).toBeDefined();
      else if (section !== "oauth") expect(value).toEqual(schema.default);
    },
  );
});
