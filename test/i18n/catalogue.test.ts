import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { describe, expect, test } from "vitest";
import { KeySchema } from "../../src/config/key-schema.js";
import { ConfigFileSchema } from "../../src/config/schema.js";
import { commandMessages } from "../../src/i18n/command-messages.js";
import { configMessages } from "../../src/i18n/config-messages.js";
import { doctorMessages } from "../../src/i18n/doctor-messages.js";
import { hasChinese } from "../../src/i18n/expected-values.js";
import { commandExamples, helpMessages } from "../../src/i18n/help-messages.js";
import { keyMessages } from "../../src/i18n/key-messages.js";
import { loginMessages } from "../../src/i18n/login-messages.js";
import { pasteFormats, pasteMessages, tokenNotes } from "../../src/i18n/paste-messages.js";
import { probeMessages } from "../../src/i18n/probe-messages.js";
import { storeMessages } from "../../src/i18n/store-messages.js";
import { templateMessages } from "../../src/i18n/template-messages.js";
import { isObject } from "../../src/lib/json.js";
import { upstreamKinds } from "../../src/upstreams/registry.js";

const catalogues: Record<string, unknown> = {
  commandMessages,
  configMessages,
  doctorMessages,
  helpMessages: { ...helpMessages, titles: {} },
  commandExamples,
  keyMessages,
  loginMessages,
  pasteFormats,
  pasteMessages,
  tokenNotes,
  storeMessages,
  templateMessages,
  probeMessages,
};

type Entry = { path: string; en: string; zh: string };

/** All texts without parameters, at any depth; those with parameters are called with a placeholder for each. */
function listTexts(value: unknown, path: string): Entry[] {
  if (typeof value === "function") return listTexts(callWithPlaceholders(value), path);
  if (Array.isArray(value)) return value.flatMap((each, index) => listTexts(each, `${path}[${index}]`));
  if (!isObject(value)) return [];
  if (typeof value.en === "string" && typeof value.zh === "string")
    return [{ path, en: value.en, zh: value.zh }];
  return Object.entries(value).flatMap(([name, each]) => listTexts(each, `${path}.${name}`));
}

/** Stands for a text, a number, a list and a localized text alike, as far as the messages use them. */
const placeholder = Object.assign(["PARAMETER"], {
  en: "PARAMETER",
  zh: "PARAMETER",
  name: { en: "PARAMETER", zh: "PARAMETER" },
  advice: { en: "PARAMETER", zh: "PARAMETER" },
  toString: () => "PARAMETER",
});

function callWithPlaceholders(message: unknown): unknown {
  if (typeof message !== "function") return undefined;
  // The last parameter of `expected` chooses one of three texts.
  const parameters = Array.from({ length: message.length }, () => placeholder);
  if (message === configMessages.expected) return message(placeholder, "a folder", "missing");
  return Reflect.apply(message, undefined, parameters);
}

/** Names that are the same in Chinese. */
const names = /PARAMETER|--\w+|Node\.js|\bnode\b|Moonbridge|\bcookies\b|JSON|\bon\b/g;
const hasNoWords = (text: string) => !/[A-Za-z]{2}/.test(text.replaceAll(names, ""));

describe("every text of the command line", () => {
  const texts = Object.entries(catalogues).flatMap(([name, catalogue]) => listTexts(catalogue, name));

  test("has Chinese characters in Chinese and none in English", () => {
    expect(texts.length).toBeGreaterThan(250);
    const isChinese = (text: string) => /\p{Script=Han}/u.test(text);
    expect(texts.filter(({ en }) => isChinese(en))).toEqual([]);
    expect(texts.filter(({ en, zh }) => !isChinese(zh) && !hasNoWords(en))).toEqual([]);
  });

  test("addresses the reader as 你", () => {
    expect(texts.filter(({ zh }) => zh.includes("您"))).toEqual([]);
  });

  test("shows the same parameters in both languages", () => {
    const exceptions = ["doctorMessages.accountState", "pasteMessages.notWhole", "pasteMessages.expired"];
    const count = (text: string) => text.split("PARAMETER").length;
    const different = texts.filter(({ en, zh }) => count(en) !== count(zh));
    expect(different.map(({ path }) => path)).toEqual(exceptions);
  });
});

test("every description of a setting's values has Chinese", () => {
  const descriptions = new Set<string>();
  const collect = (schema: TSchema): void => {
    if (TypeGuard.IsObject(schema)) Object.values(schema.properties).forEach(collect);
    else if (schema.description !== undefined) descriptions.add(schema.description);
    if (TypeGuard.IsArray(schema)) collect(schema.items);
    if (TypeGuard.IsRecord(schema)) Object.values(schema.patternProperties).forEach(collect);
  };
  [ConfigFileSchema, KeySchema, ...upstreamKinds.map(({ schema }) => schema)].forEach(collect);
  expect(descriptions.size).toBeGreaterThan(40);
  // Lists of names, which are the same in every language.
  const untranslatable = /^(a list of )?[A-Z]{2}\d+/;
  expect([...descriptions].filter((each) => !hasChinese(each) && !untranslatable.test(each))).toEqual([]);
});
