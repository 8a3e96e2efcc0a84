import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { chatsModes, citationModes, scopes } from "../chat/types.js";

/** A string a person must be able to find again in an error: short, one line. */
export const Name = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "1 to 64 letters, digits, . _ or -",
});
export const Url = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an http or https address",
});
const ModelId = Type.String({ minLength: 1, maxLength: 200, description: "a model's id" });
const strict = { additionalProperties: false } as const;

/** Signatures that only the issuer can make: nobody shares a secret with it. */
const signatures = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const),
  ...(["ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const),
];

export const Server = Type.Object(
  {
    host: Type.String({ minLength: 1, default: "127.0.0.1", description: "the address to listen on" }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 6867,
      description: "a port from 0 (any) to 65535",
    }),
    cors: Type.Array(Type.String(), {
      default: ["*"],
      description: 'a list of origins, such as ["https://chat.example.org"], or ["*"]',
    }),
    unknownParameters: Type.Union([Type.Literal("reject"), Type.Literal("ignore")], {
      default: "reject",
      description: '"reject" or "ignore"',
    }),
    shutdownSeconds: Type.Integer({
      minimum: 0,
      maximum: 600,
      default: 30,
      description: "seconds from 0 to 600",
    }),
  },
  strict,
);

const chatsMode = chatsModes.map((mode) => Type.Literal(mode));
const chatsModeExpected = '"native", "merged" or "ephemeral"';

const Citations = Type.Union(
  citationModes.map((mode) => Type.Literal(mode)),
  { description: '"inline", "footer", "annotations" or "off"' },
);

/** What becomes of the chats that answers make on Kimi's side. */
export const Chats = Type.Object(
  {
    mode: Type.Union(chatsMode, { default: "native", description: chatsModeExpected }),
    keepHours: Type.Number({
      exclusiveMinimum: 0,
      maximum: 8_760,
      default: 24,
      description: "hours, more than 0 and at most 8760",
    }),
  },
  strict,
);

const keySettings = {
  name: Name,
  scopes: Type.Optional(
    Type.Array(
      Type.Union(
        scopes.map((scope) => Type.Literal(scope)),
        { description: '"chat" or "admin"' },
      ),
      { minItems: 1, description: 'a list of "chat" and "admin"' },
    ),
  ),
  models: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: 200,
      description: 'a list of models, or ["*"]',
    }),
  ),
  upstreams: Type.Optional(
    Type.Array(Name, { minItems: 1, maxItems: 100, description: "a list of upstreams" }),
  ),
  requestsPerMinute: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: "a whole number from 1 to 100000" }),
  ),
  concurrency: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: "a whole number from 1 to 10000" }),
  ),
  expires: Type.Optional(
    Type.String({
      pattern: "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d))?$",
      description: "a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z",
    }),
  ),
  chats: Type.Optional(Type.Union(chatsMode, { description: chatsModeExpected })),
  citations: Type.Optional(Citations),
};

/** A key that `moonbridge keys add` makes; one in the config has the key itself, too. */
export const NewKey = Type.Object(keySettings, strict);

const Key = Type.Object(
  {
    ...keySettings,
    key: Type.String({
      minLength: 1,
      maxLength: 512,
      description: "an API key, or sha256: and its hash in hex",
    }),
  },
  strict,
);

/** The issuer whose tokens open this server. */
export const OAuth = Type.Object(
  {
    issuer: Type.String({
      pattern: "^(https://[^\\s/?#]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?)(/[^\\s?#]*)?$",
      description: "an https address; http only on this machine",
    }),
    audience: Type.String({ minLength: 1, maxLength: 512, description: "the audience of its tokens" }),
    scope: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "the scopes that a token must have" }),
    ),
    adminScope: Type.String({
      pattern: "^\\S{1,200}$",
      default: "moonbridge:admin",
      description: "the scope that stands for admin",
    }),
    algorithms: Type.Array(
      Type.Union(
        signatures.map((name) => Type.Literal(name)),
        { description: signatures.join(", ") },
      ),
      { minItems: 1, default: signatures, description: `a list of ${signatures.join(", ")}` },
    ),
  },
  strict,
);

const Concurrency = Type.Integer({
  minimum: 1,
  maximum: 100_000,
  description: "how many answers at a time, from 1",
});

const KimiWebUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("kimi-web"),
    baseUrl: Type.Optional(Url),
    authUrl: Type.Optional(Url),
    accessToken: Type.Optional(Type.String({ description: "an access token" })),
    refreshToken: Type.Optional(Type.String({ description: "a refresh token" })),
    userAgent: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" })),
    concurrency: Type.Optional(Concurrency),
  },
  strict,
);

const OpenAiUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("openai"),
    baseUrl: Type.Optional(Url),
    region: Type.Optional(
      Type.Union([Type.Literal("ai"), Type.Literal("cn")], { description: '"ai" or "cn"' }),
    ),
    apiKey: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "a key of the service" })),
    preset: Type.Optional(
      Type.Union([Type.Literal("moonshot"), Type.Literal("generic")], {
        description: '"moonshot" or "generic"',
      }),
    ),
    defaultModel: Type.Optional(ModelId),
    models: Type.Optional(Type.Array(ModelId, { minItems: 1, description: "a list of model ids" })),
    concurrency: Type.Optional(Concurrency),
    userAgent: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" })),
  },
  strict,
);

const KimiLegacyUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("kimi-legacy"),
    baseUrl: Type.Optional(Url),
    accessToken: Type.Optional(Type.String({ description: "an access token" })),
    refreshToken: Type.Optional(Type.String({ description: "a refresh token" })),
    userAgent: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" })),
    concurrency: Type.Optional(Concurrency),
  },
  strict,
);

const SimulatorUpstream = Type.Object({ name: Name, kind: Type.Literal("simulator") }, strict);

/** One schema a kind of upstream; a new kind is one line here and one in `upstreams/registry.ts`. */
export const upstreamSchemas = {
  "kimi-web": KimiWebUpstream,
  "kimi-legacy": KimiLegacyUpstream,
  openai: OpenAiUpstream,
  simulator: SimulatorUpstream,
} as const satisfies Record<string, TSchema>;

/** The queue in front of each account. */
export const Queue = Type.Object(
  {
    depth: Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 50,
      description: "requests from 0 to 10000",
    }),
    waitSeconds: Type.Integer({
      minimum: 1,
      maximum: 1_800,
      default: 120,
      description: "seconds from 1 to 1800",
    }),
  },
  strict,
);

/** Pictures and files: in messages, by link, and uploaded. */
export const Files = Type.Object(
  {
    maxBytes: Type.Integer({
      minimum: 1,
      maximum: 1_073_741_824,
      default: 104_857_600,
      description: "bytes from 1 to 1073741824",
    }),
    allowPrivateLinks: Type.Boolean({ default: false, description: "true or false" }),
    promptLinks: Type.Union([Type.Literal("documents"), Type.Literal("off")], {
      default: "documents",
      description: '"documents" or "off"',
    }),
    folder: Type.Optional(Type.String({ minLength: 1, description: "a folder" })),
  },
  strict,
);

const Log = Type.Object(
  {
    level: Type.Union(
      ["trace", "debug", "info", "warn", "error", "silent"].map((level) => Type.Literal(level)),
      { default: "info", description: "trace, debug, info, warn, error or silent" },
    ),
  },
  strict,
);

/** The whole of `config.json`. Each description is what an error says was expected. */
export const ConfigFile = Type.Object(
  {
    server: Type.Optional(Server),
    keys: Type.Optional(Type.Array(Key, { description: "a list of keys" })),
    oauth: Type.Optional(OAuth),
    upstreams: Type.Optional(Type.Array(Type.Unknown(), { description: "a list of upstreams" })),
    routes: Type.Optional(
      Type.Record(Type.String(), Type.Array(Name), {
        description: "a list of upstreams for each model's name",
      }),
    ),
    chats: Type.Optional(Chats),
    citations: Type.Optional(Citations),
    chores: Type.Optional(
      Type.Object(
        {
          patterns: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
            default: [],
            description: "a list of regular expressions",
          }),
        },
        strict,
      ),
    ),
    queue: Type.Optional(Queue),
    files: Type.Optional(Files),
    store: Type.Optional(Type.String({ pattern: "^sqlite:.+", description: "sqlite: and a path" })),
    log: Type.Optional(Log),
    // The original's three fields (original.md).
    token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "an API key of your own choosing" }),
    ),
    auth_token: Type.Optional(Type.String({ description: "an access token" })),
    refresh_token: Type.Optional(Type.String({ description: "a refresh token" })),
  },
  strict,
);

export type ConfigFile = Static<typeof ConfigFile>;
export type KeyConfig = Static<typeof Key>;
export type OAuthConfig = Static<typeof OAuth>;
export type UpstreamConfig = Static<(typeof upstreamSchemas)[keyof typeof upstreamSchemas]>;

/** The configuration as the program uses it: defaults filled in, the original's fields folded into the long form. */
export type Config = {
  server: Static<typeof Server>;
  keys: KeyConfig[];
  oauth?: OAuthConfig;
  upstreams: UpstreamConfig[];
  routes: Record<string, string[]>;
  chats: Static<typeof Chats>;
  citations: Static<typeof Citations>;
  /** More patterns by which the side requests of chat UIs are recognised. */
  chores: string[];
  queue: Static<typeof Queue>;
  files: Omit<Static<typeof Files>, "folder"> & { folder: string };
  /** Path of the database. */
  storePath: string;
  /** 32 bytes each: the key that seals logins there, then the one before. Empty: they are kept as they are. */
  sealKeys: readonly Buffer[];
  log: { level: string };
  /** Things worth saying at start that are no errors. */
  warnings: string[];
};
