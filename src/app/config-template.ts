import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { KeySchema } from "../config/key-schema.js";
import { ConfigFileSchema } from "../config/schema.js";
import { templateMessages as messages } from "../i18n/template-messages.js";
import type { Language } from "../i18n/text.js";
import { isObject } from "../lib/json.js";

/**
 * A config file that lists every setting of the schema with its meaning, each commented out with its default. It is
 * valid as it is, and with every line of a setting uncommented. Settings without a default show an example.
 */
export function createConfigTemplate(language: Language): string {
  const settings = Object.entries<TSchema>(ConfigFileSchema.properties)
    .filter(([name]) => !shortForm.has(name))
    .flatMap(([name, schema]) => [...settingLines(name, schema, language), ""]);
  const introduction = messages.introduction[language].split("\n").map((line) => `// ${line}`);
  const keys = messages.keySettings(listNames(KeySchema.properties))[language];
  return [...introduction, "{", ...settings, `  // // ${keys}`, "}", ""].join("\n");
}

/** The fields of reverse-kimi's file, which name what `keys` and `upstreams` do, too. */
const shortForm = new Set(["token", "auth_token", "refresh_token"]);

function settingLines(name: string, schema: TSchema, language: Language): string[] {
  if (!TypeGuard.IsObject(schema))
    return [comment(schema, language), `  // ${JSON.stringify(name)}: ${exampleJson(name, schema)},`];
  const inner = Object.entries<TSchema>(schema.properties).flatMap(([key, each]) => [
    comment(each, language, "  "),
    `  //   ${JSON.stringify(key)}: ${exampleJson(`${name}.${key}`, each)},`,
  ]);
  return [`  // ${JSON.stringify(name)}: {`, ...inner, "  // },"];
}

/** The meaning is behind a second pair of slashes, so that it is a comment in an uncommented line, too. */
function comment(schema: TSchema, language: Language, indentation = ""): string {
  const meaning = isObject(schema.meaning) ? String(schema.meaning[language]) : "";
  return `  // ${indentation}// ${withoutLinks(meaning)}`;
}

/** Markdown's links and code as plain text. */
function withoutLinks(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1").replaceAll("`", "");
}

/** Values for settings that have no default, or whose default would say nothing. */
const examples: Readonly<Record<string, unknown>> = {
  keys: [{ name: "nextchat", key: "sk-choose-a-long-one-of-your-own" }],
  "server.tls": { certificate: "./tls.crt", key: "./tls.key" },
  "oauth.issuer": "https://id.example.org",
  "oauth.audience": "moonbridge",
  upstreams: [{ name: "me", kind: "kimi-web" }],
  routes: { "moonshot-v1": ["me"] },
  modelAliases: { "gpt-4o": "kimi-thinking" },
  store: "sqlite:./moonbridge.db",
  "files.folder": "./moonbridge-files",
  "notify.webhook": "https://hooks.example.org/moonbridge",
  "notify.command": ["notify-send", "Moonbridge"],
};

function exampleJson(path: string, schema: TSchema): string {
  return JSON.stringify(examples[path] ?? schema.default ?? exampleOf(schema));
}

/** Something valid for an optional setting of this type. */
function exampleOf(schema: TSchema): unknown {
  if (TypeGuard.IsArray(schema)) return [exampleOf(schema.items)];
  if (TypeGuard.IsUnion(schema) && schema.anyOf[0] !== undefined) return exampleOf(schema.anyOf[0]);
  if (TypeGuard.IsLiteral(schema)) return schema.const;
  if (TypeGuard.IsBoolean(schema)) return false;
  return TypeGuard.IsInteger(schema) || TypeGuard.IsNumber(schema) ? (schema.minimum ?? 0) : "example";
}

function listNames(properties: Readonly<Record<string, TSchema>>): string {
  return Object.keys(properties).join(", ");
}
