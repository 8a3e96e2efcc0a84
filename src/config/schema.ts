import { type Static, Type } from "@sinclair/typebox";
import { limits } from "../core/limits.js";
import type { Message } from "../i18n/text.js";
import type { ProxyRules } from "../proxy/proxy-rules.js";
import {
  chatModeSchema,
  citationsSchema,
  documented,
  NameSchema,
  oneOf,
  strict,
  UrlWithQuerySchema,
} from "./field-schemas.js";
import type { ConfigFileLocation } from "./file-locations.js";
import { type KeyConfig, KeySchema } from "./key-schema.js";
import { type OAuthConfig, OAuthSchema } from "./oauth-schema.js";
import type { StoreLocation } from "./store-location.js";
import type { TlsFiles } from "./tls.js";
import type { UpstreamConfig } from "./upstream-settings.js";

/** Options of a section that may be left out: its settings then have their defaults. */
const section = { ...strict, default: {} };

/** Listening, CORS, unknown request parameters and shutdown. */
export const ServerSchema = Type.Object(
  {
    host: documented(
      "The address to listen on; beyond loopback only with an API key configured",
      "监听地址；只有配置了 API 密钥才能监听 loopback 以外的地址",
      Type.String({ minLength: 1, default: "127.0.0.1", description: "the address to listen on" }),
    ),
    port: documented(
      "The port; 0 means any free one",
      "端口；0 表示任选空闲端口",
      Type.Integer({
        ...{ minimum: 0, maximum: 65_535, default: 6867 },
        description: "a port from 0 (any) to 65535",
      }),
    ),
    alsoListen: documented(
      "Further ports at the same host, such as 11434, where programs look for Ollama",
      "同一主机上的其他端口，例如 11434，程序会在那里寻找 Ollama",
      Type.Array(Type.Integer({ minimum: 0, maximum: 65_535, description: "a port from 0 to 65535" }), {
        maxItems: 16,
        default: [],
        description: "a list of ports, such as [11434]",
      }),
    ),
    tls: documented(
      "The PEM files of a certificate and its private key, relative to the config file, to speak [HTTPS](../guide/https.md)",
      "证书及其私钥的 PEM 文件（相对于配置文件），用于提供 [HTTPS](../guide/https.zh-CN.md)",
      Type.Optional(
        Type.Object(
          {
            certificate: Type.String({ minLength: 1, description: "the path of a PEM file" }),
            key: Type.String({ minLength: 1, description: "the path of a PEM file" }),
          },
          { ...strict, description: "an object with “certificate” and “key”, the paths of two PEM files" },
        ),
      ),
    ),
    hosts: documented(
      "Names of this machine that the console answers to, besides IP addresses and `localhost`",
      "控制台应答的本机名称；IP 地址和 `localhost` 总是可以",
      Type.Array(
        Type.String({ pattern: "^[A-Za-z0-9.-]{1,253}$", description: "a name such as moonbridge.lan" }),
        { maxItems: 50, default: [], description: 'a list of names, such as ["moonbridge.lan"]' },
      ),
    ),
    cors: documented(
      "The origins of browser UIs; `*` means all",
      "浏览器界面的源（origin）；`*` 表示全部",
      Type.Array(Type.String(), {
        default: ["*"],
        description: 'a list of origins, such as ["https://chat.example.org"], or ["*"]',
      }),
    ),
    keylessLoopback: documented(
      "Whether programs on this machine may chat [without a key](configuration.md#without-a-key)",
      "本机程序是否可以[无需密钥](configuration.zh-CN.md#无需密钥)对话",
      Type.Boolean({ default: false, description: "true or false" }),
    ),
    unknownParameters: documented(
      "Refuse unknown request parameters, or accept them and name them in `x-moonbridge-ignored`",
      "拒绝请求中的未知参数，或接受并在 `x-moonbridge-ignored` 中列出",
      oneOf(["reject", "ignore"], { default: "reject", description: '"reject" or "ignore"' }),
    ),
    shutdownSeconds: documented(
      "How long open streams may run on after SIGTERM",
      "收到 SIGTERM 后，进行中的流最多还能运行多久",
      Type.Integer({ minimum: 0, maximum: 600, default: 30, description: "seconds from 0 to 600" }),
    ),
  },
  section,
);

/** How long chats created on Kimi's side are kept, and how they are used. */
export const ChatsSchema = Type.Object(
  {
    mode: documented(
      'How chats at Kimi are used ([modes](configuration.md#conversations)); `"chats": "native"` is short for it alone',
      '如何使用 Kimi 的会话（[各模式](configuration.zh-CN.md#对话)）；只写它时可简写为 `"chats": "native"`',
      chatModeSchema({ default: "native" }),
    ),
    keepHours: documented(
      "Hours after its last turn until a chat is deleted at Kimi",
      "最后一轮之后多少小时从 Kimi 删除会话",
      Type.Number({
        ...{ exclusiveMinimum: 0, maximum: 8_760, default: 24 },
        description: "hours, more than 0 and at most 8760",
      }),
    ),
    windows: documented(
      "Whether a chat is continued by the end of a history",
      "是否凭历史的末尾续接会话",
      oneOf(["continue", "new"], { default: "continue", description: '"continue" or "new"' }),
    ),
  },
  section,
);

/** Event streams to clients. */
export const StreamsSchema = Type.Object(
  {
    visibleErrors: documented(
      "Whether the failure of a stream is also written as text",
      "流中途的错误是否也写进正文",
      Type.Boolean({ default: false, description: "true or false" }),
    ),
  },
  section,
);

/** The queue in front of each account. */
export const QueueSchema = Type.Object(
  {
    depth: documented(
      "Requests that may wait for an account",
      "可以等待一个账号的请求数",
      Type.Integer({ minimum: 0, maximum: 10_000, default: 50, description: "requests from 0 to 10000" }),
    ),
    waitSeconds: documented(
      "How long a request may wait",
      "一个请求最多等待多久",
      Type.Integer({ minimum: 1, maximum: 1_800, default: 120, description: "seconds from 1 to 1800" }),
    ),
  },
  section,
);

/** Pictures and files in messages, linked or uploaded. */
export const FilesSchema = Type.Object(
  {
    maxBytes: documented(
      "The size of one file",
      "单个文件的大小",
      Type.Integer({
        ...{ minimum: 1, maximum: 1_073_741_824, default: 104_857_600 },
        description: "bytes from 1 to 1073741824",
      }),
    ),
    linkSeconds: documented(
      "Time for fetching all links of a request together",
      "下载一个请求的全部链接的总时间",
      Type.Integer({
        ...{ minimum: 1, maximum: 600, default: limits.linkFetch / 1_000 },
        description: "seconds from 1 to 600",
      }),
    ),
    allowPrivateLinks: documented(
      "Whether links may lead into your own network",
      "链接是否可以指向你自己的内网",
      Type.Boolean({ default: false, description: "true or false" }),
    ),
    promptLinks: documented(
      "Fetch documents and pictures that a prompt links to, or leave all links to Kimi",
      "下载提示词中链接的文档和图片，或把所有链接都交给 Kimi",
      oneOf(["documents", "off"], { default: "documents", description: '"documents" or "off"' }),
    ),
    folder: documented(
      "Where uploaded files are, relative to the config file; by default beside the database",
      "上传的文件的目录，相对于配置文件；默认在数据库旁边",
      Type.Optional(Type.String({ minLength: 1, description: "a folder" })),
    ),
  },
  section,
);

const ChoresSchema = Type.Object(
  {
    patterns: documented(
      "More patterns that recognise side requests",
      "识别附带请求的更多模式",
      Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
        default: [],
        description: "a list of regular expressions",
        // A regular expression may contain commas.
        commas: false,
      }),
    ),
  },
  section,
);

/** What models without functions are told of the client's. */
export const ToolsSchema = Type.Object(
  {
    maxOldResultCharacters: documented(
      "The length above which results of earlier steps are shortened",
      "较早步骤的结果超过此长度会被截短",
      Type.Integer({
        ...{ minimum: 200, maximum: 10_000_000, default: 8_000 },
        description: "characters from 200 to 10000000",
      }),
    ),
  },
  section,
);

/** Who is told of what a person should know without looking. */
const NotifySchema = Type.Object(
  {
    command: documented(
      "A program and its arguments, run when a login ends or Kimi has changed something",
      "登录失效或 Kimi 有变化时运行的程序及其参数",
      Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          minItems: 1,
          maxItems: 50,
          description: 'a list of a program and its arguments, such as ["notify-send", "Moonbridge"]',
        }),
      ),
    ),
    webhook: documented(
      "An address that gets the same as JSON by POST",
      "以 POST 方式接收同样内容（JSON）的地址",
      Type.Optional(UrlWithQuerySchema),
    ),
  },
  section,
);

/** What is kept of requests that have ended. */
export const JournalSchema = Type.Object(
  {
    days: documented(
      "Days for which ended requests are kept in the journal",
      "请求记录（journal）保留已结束请求的天数",
      Type.Integer({ minimum: 1, maximum: 3_650, default: 30, description: "days from 1 to 3650" }),
    ),
    rows: documented(
      "Requests that the journal keeps at most; the oldest go first",
      "请求记录最多保留多少条；超出时先删除最旧的",
      Type.Integer({
        ...{ minimum: 1, maximum: 10_000_000, default: 100_000 },
        description: "requests from 1 to 10000000",
      }),
    ),
    texts: documented(
      "Whether the journal keeps [prompts and answers](../guide/log.md#prompts-and-answers), too",
      "请求记录是否也保存[提问和回答](../guide/log.zh-CN.md#提问和回答)",
      Type.Boolean({ default: false, description: "true or false" }),
    ),
  },
  section,
);

const LogSchema = Type.Object(
  {
    level: documented(
      "The least important entries that are written to standard error",
      "写到标准错误的最低级别",
      oneOf(["debug", "info", "warn", "error", "silent"], {
        default: "info",
        description: "debug, info, warn, error or silent",
      }),
    ),
  },
  section,
);

/** The config file. A field's `description` is the text after “expected” in error messages. */
export const ConfigFileSchema = Type.Object(
  {
    server: ServerSchema,
    keys: documented(
      "API keys, see [below](#keys)",
      "API 密钥，见[下文](#密钥)",
      Type.Array(KeySchema, { default: [], description: "a list of keys" }),
    ),
    oauth: Type.Optional(OAuthSchema),
    upstreams: documented(
      "Who answers, see [below](#upstreams); by default the accounts of `moonbridge login`, else the simulator",
      "由谁回答，见[下文](#上游)；默认为 `moonbridge login` 登录过的账号，否则为模拟器",
      Type.Array(Type.Unknown(), { default: [], description: "a list of upstreams" }),
    ),
    routes: documented(
      "The upstreams that may serve a model's name or pattern ([names](configuration.md#model-names))",
      "可以提供某个模型名或模式的上游（[模型名](configuration.zh-CN.md#模型名)）",
      Type.Record(Type.String(), Type.Array(NameSchema), {
        default: {},
        description: "a list of upstreams for each model's name",
      }),
    ),
    modelAliases: documented(
      "The model that a name or pattern stands for ([names](configuration.md#model-names))",
      "某个名字或模式所代表的模型（[模型名](configuration.zh-CN.md#模型名)）",
      Type.Record(
        Type.String(),
        Type.String({ minLength: 1, maxLength: 200, description: "a model's name" }),
        { default: {}, description: "a model for each name" },
      ),
    ),
    chats: ChatsSchema,
    citations: documented(
      "How the sources of a search are shown ([modes](configuration.md#citations))",
      "搜索来源的显示方式（[各模式](configuration.zh-CN.md#引用)）",
      citationsSchema({ default: "inline" }),
    ),
    chores: ChoresSchema,
    streams: StreamsSchema,
    queue: QueueSchema,
    files: FilesSchema,
    tools: ToolsSchema,
    store: documented(
      "The database, as `sqlite:` and a path relative to the config file, or the URL of a Redis for [several machines](../guide/replicas.md): `redis://user:password@host:6379/0`, with TLS `rediss://…`; [where it is by default](configuration.md#where-files-are)",
      "数据库，写作 `sqlite:` 加相对于配置文件的路径；或用于[多台机器](../guide/replicas.zh-CN.md)的 Redis 地址：`redis://user:password@host:6379/0`，使用 TLS 时写 `rediss://…`；[默认位置](configuration.zh-CN.md#文件在哪里)",
      Type.Optional(
        Type.String({
          pattern: "^(sqlite:|rediss?://).+",
          description: "sqlite: and a path, or a Redis URL",
        }),
      ),
    ),
    notify: NotifySchema,
    journal: JournalSchema,
    log: LogSchema,
    // The short form: the three fields of reverse-kimi's file (configuration.md).
    token: documented(
      "Short form: an API key with all scopes",
      "简写：一个拥有全部权限的 API 密钥",
      Type.Optional(
        Type.String({ minLength: 1, maxLength: 512, description: "an API key of your own choosing" }),
      ),
    ),
    auth_token: documented(
      "Short form: the access token of one Kimi account",
      "简写：一个 Kimi 账号的访问令牌",
      Type.Optional(Type.String({ description: "an access token" })),
    ),
    refresh_token: documented(
      "Short form: the refresh token of the same account",
      "简写：同一账号的刷新令牌",
      Type.Optional(Type.String({ description: "a refresh token" })),
    ),
  },
  strict,
);

export type ConfigFile = Static<typeof ConfigFileSchema>;

/** The effective configuration: defaults filled in, the short form converted to `keys` and `upstreams`. */
export type Config = {
  configFile: ConfigFileLocation;
  /** `tls`: the files that its paths lead to. */
  server: Omit<Static<typeof ServerSchema>, "tls"> & { tls?: TlsFiles };
  keys: KeyConfig[];
  oauth?: OAuthConfig;
  upstreams: UpstreamConfig[];
  /** Upstream names by model name or pattern. */
  routes: Record<string, string[]>;
  /** Model names by the name or pattern that stands for them. */
  modelAliases: Record<string, string>;
  chats: Static<typeof ChatsSchema>;
  citations: ConfigFile["citations"];
  /** Additional regular expressions that identify side requests of chat UIs. */
  sideRequestPatterns: string[];
  streams: Static<typeof StreamsSchema>;
  queue: Static<typeof QueueSchema>;
  files: Omit<Static<typeof FilesSchema>, "folder"> & { folder: string };
  tools: Static<typeof ToolsSchema>;
  notify: Static<typeof NotifySchema>;
  store: StoreLocation;
  /**
   * 32 bytes each: the key that encrypts stored credentials, then the previous one. Empty: credentials are not
   * encrypted.
   */
  encryptionKeys: readonly Buffer[];
  journal: Static<typeof JournalSchema>;
  /** The proxies of the environment. */
  proxies: ProxyRules;
  log: { level: string };
  /** Problems that are logged at startup but are no errors. */
  warnings: Message[];
};
