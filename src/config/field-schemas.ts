import { type SchemaOptions, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { chatModes, citationModes, toolModes } from "../core/types.js";

/** What the address of a proxy has to be; the text after “expected” in error messages. */
export const proxyDescription = "none, or an http, https, socks5 or socks5h address";

/** What a setting does, in the languages of the documentation. */
export type Meaning = { en: string; zh: string };

/** The schema of a setting, with its line in the reference page of settings (docs/reference/settings.md). */
export function documented<Schema extends TSchema>(en: string, zh: string, schema: Schema): Schema {
  const meaning: Meaning = { en, zh };
  return { ...schema, meaning };
}

/** The name of a key or an upstream: short and on one line, since error messages quote it. */
export const NameSchema = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "1 to 64 letters, digits, . _ or -",
});
export const UrlSchema = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an http or https address",
});

/** An address that may have a query, as those of webhooks do. */
export const UrlWithQuerySchema = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s#]*$",
  description: "an http or https address",
});

/** The setting `proxy` of an upstream; `parseUpstreams` checks the address. */
export const ProxySchema = documented(
  "The proxy for its requests: an `http`, `https`, `socks5` or `socks5h` address, or `none`; by default that of the environment ([proxies](../guide/proxy.md))",
  "它的请求使用的代理：`http`、`https`、`socks5` 或 `socks5h` 地址，或 `none`；默认使用环境变量中的代理（[代理](../guide/proxy.zh-CN.md)）",
  Type.String({ minLength: 1, maxLength: 2_048, description: proxyDescription }),
);

/** A union of string literals. */
export function oneOf<const T extends string>(values: readonly T[], options: SchemaOptions = {}) {
  return Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  );
}

/** The chat mode; `options` may add a default. */
export const chatModeSchema = (options: SchemaOptions = {}) =>
  oneOf(chatModes, { description: '"native", "merged" or "ephemeral"', ...options });

export const ToolModeSchema = oneOf(toolModes, { description: '"emulate" or "off"' });

/** `tools` of an upstream whose service has no functions. */
export const UpstreamToolsSchema = documented(
  "Whether functions are offered in the prompt (`emulate`), or refused where they are forced and else ignored; by default `emulate`",
  "是否在提示词中提供函数（`emulate`）；`off` 时强制调用会被拒绝，其余忽略；默认为 `emulate`",
  Type.Optional(ToolModeSchema),
);

/** The citation mode; `options` may add a default. */
export const citationsSchema = (options: SchemaOptions = {}) =>
  oneOf(citationModes, { description: '"inline", "footer", "annotations" or "off"', ...options });

/** Options of an object schema that make unknown settings an error. */
export const strict = { additionalProperties: false } as const;

export const ModelIdSchema = Type.String({ minLength: 1, maxLength: 200, description: "a model's id" });

export const UserAgentSchema = documented(
  "The User-Agent of requests; by default Moonbridge and its version",
  "请求的 User-Agent；默认为 Moonbridge 及其版本",
  Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" }),
);

export const ConcurrencySchema = documented(
  "Concurrent answers; further requests wait in the queue",
  "同时进行的回答数；其余请求排队",
  Type.Integer({ minimum: 1, maximum: 100_000, description: "how many answers at a time, from 1" }),
);

export const MinSecondsBetweenStartsSchema = documented(
  "Seconds between the starts of two messages; further ones wait in the queue; by default 0",
  "两条消息开始之间的秒数；更多的消息排队；默认为 0",
  Type.Number({ minimum: 0, maximum: 3_600, description: "a number of seconds from 0 to 3600" }),
);

/** An entry of `upstreams` of this kind, with its own settings besides the name. */
export function upstreamSchema<const Kind extends string, Settings extends TProperties>(
  kind: Kind,
  settings: Settings,
) {
  const common = {
    name: documented("How routes, keys and the log name it", "路由、密钥和日志中使用的名字", NameSchema),
    kind: documented("Chooses this kind of upstream", "选择这种上游", Type.Literal(kind)),
  };
  return Type.Object({ ...common, ...settings }, strict);
}
