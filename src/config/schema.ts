import { type Static, Type } from "@sinclair/typebox";
import { Citations, chatsMode, Name, oneOf, strict } from "./field-schemas.js";
import { Key, type KeyConfig } from "./key-schema.js";
import { OAuth, type OAuthConfig } from "./oauth-schema.js";
import type { UpstreamConfig } from "./upstream-schema.js";

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
    unknownParameters: oneOf(["reject", "ignore"], {
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

/** What becomes of the chats that answers make on Kimi's side. */
export const Chats = Type.Object(
  {
    mode: chatsMode({ default: "native" }),
    keepHours: Type.Number({
      exclusiveMinimum: 0,
      maximum: 8_760,
      default: 24,
      description: "hours, more than 0 and at most 8760",
    }),
  },
  strict,
);

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
    promptLinks: oneOf(["documents", "off"], {
      default: "documents",
      description: '"documents" or "off"',
    }),
    folder: Type.Optional(Type.String({ minLength: 1, description: "a folder" })),
  },
  strict,
);

const Log = Type.Object(
  {
    level: oneOf(["trace", "debug", "info", "warn", "error", "silent"], {
      default: "info",
      description: "trace, debug, info, warn, error or silent",
    }),
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
