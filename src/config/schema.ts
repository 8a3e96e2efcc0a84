import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { citationModes } from "../chat/types.js";

/** A string a person must be able to find again in an error: short, one line. */
const Name = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "1 to 64 letters, digits, . _ or -",
});
const Url = Type.String({
  pattern: "^https?://[^\\s/?#]+[^\\s?#]*$",
  description: "an http or https address",
});
const strict = { additionalProperties: false } as const;

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

const chatsModes = [Type.Literal("native"), Type.Literal("merged"), Type.Literal("ephemeral")];
const chatsModeExpected = '"native", "merged" or "ephemeral"';

const Citations = Type.Union(
  citationModes.map((mode) => Type.Literal(mode)),
  { description: '"inline", "footer", "annotations" or "off"' },
);

/** What becomes of the chats that answers make on Kimi's side. */
export const Chats = Type.Object(
  {
    mode: Type.Union(chatsModes, { default: "native", description: chatsModeExpected }),
    keepHours: Type.Number({
      exclusiveMinimum: 0,
      maximum: 8_760,
      default: 24,
      description: "hours, more than 0 and at most 8760",
    }),
  },
  strict,
);

const Key = Type.Object(
  {
    name: Name,
    key: Type.String({
      minLength: 1,
      maxLength: 512,
      description: "an API key, or sha256: and its hash in hex",
    }),
    chats: Type.Optional(Type.Union(chatsModes, { description: chatsModeExpected })),
    citations: Type.Optional(Citations),
  },
  strict,
);

const KimiWebUpstream = Type.Object(
  {
    name: Name,
    kind: Type.Literal("kimi-web"),
    baseUrl: Type.Optional(Url),
    authUrl: Type.Optional(Url),
    accessToken: Type.Optional(Type.String({ description: "an access token" })),
    refreshToken: Type.Optional(Type.String({ description: "a refresh token" })),
    userAgent: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "a User-Agent" })),
  },
  strict,
);

const SimulatorUpstream = Type.Object({ name: Name, kind: Type.Literal("simulator") }, strict);

/** One schema a kind of upstream; a new kind is one line here and one in `upstreams/registry.ts`. */
export const upstreamSchemas = {
  "kimi-web": KimiWebUpstream,
  simulator: SimulatorUpstream,
} as const satisfies Record<string, TSchema>;

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
export type ServerConfig = Static<typeof Server>;
export type KeyConfig = Static<typeof Key>;
export type UpstreamConfig = Static<typeof KimiWebUpstream> | Static<typeof SimulatorUpstream>;

/** The configuration as the program uses it: defaults filled in, the original's fields folded into the long form. */
export type Config = {
  server: ServerConfig;
  keys: KeyConfig[];
  upstreams: UpstreamConfig[];
  routes: Record<string, string[]>;
  chats: Static<typeof Chats>;
  citations: Static<typeof Citations>;
  /** More patterns by which the side requests of chat UIs are recognised. */
  chores: string[];
  /** Path of the database. */
  storePath: string;
  /** 32 bytes each: the key that seals logins there, then the one before. Empty: they are kept as they are. */
  sealKeys: readonly Buffer[];
  log: { level: string };
  /** Things worth saying at start that are no errors. */
  warnings: string[];
};
