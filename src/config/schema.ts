import { type Static, Type } from "@sinclair/typebox";
import { limits } from "../core/limits.js";
import { CitationsSchema, chatModeSchema, NameSchema, oneOf, strict } from "./field-schemas.js";
import { type KeyConfig, KeySchema } from "./key-schema.js";
import { type OAuthConfig, OAuthSchema } from "./oauth-schema.js";
import type { UpstreamConfig } from "./upstream-settings.js";

/** Listening, CORS, unknown request parameters and shutdown. */
export const ServerSchema = Type.Object(
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

/** How long chats created on Kimi's side are kept, and how they are used. */
export const ChatsSchema = Type.Object(
  {
    mode: chatModeSchema({ default: "native" }),
    keepHours: Type.Number({
      exclusiveMinimum: 0,
      maximum: 8_760,
      default: 24,
      description: "hours, more than 0 and at most 8760",
    }),
    windows: oneOf(["continue", "new"], { default: "continue", description: '"continue" or "new"' }),
  },
  strict,
);

/** Event streams to clients. */
export const StreamsSchema = Type.Object(
  { visibleErrors: Type.Boolean({ default: false, description: "true or false" }) },
  strict,
);

/** The queue in front of each account. */
export const QueueSchema = Type.Object(
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

/** Pictures and files in messages, linked or uploaded. */
export const FilesSchema = Type.Object(
  {
    maxBytes: Type.Integer({
      minimum: 1,
      maximum: 1_073_741_824,
      default: 104_857_600,
      description: "bytes from 1 to 1073741824",
    }),
    linkSeconds: Type.Integer({
      minimum: 1,
      maximum: 600,
      default: limits.linkFetch / 1_000,
      description: "seconds from 1 to 600",
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

/** What models without functions are told of the client's. */
export const ToolsSchema = Type.Object(
  {
    maxOldResultCharacters: Type.Integer({
      minimum: 200,
      maximum: 10_000_000,
      default: 8_000,
      description: "characters from 200 to 10000000",
    }),
  },
  strict,
);

const LogSchema = Type.Object(
  {
    level: oneOf(["trace", "debug", "info", "warn", "error", "silent"], {
      default: "info",
      description: "trace, debug, info, warn, error or silent",
    }),
  },
  strict,
);

/** The config file. A field's `description` is the text after “expected” in error messages. */
export const ConfigFileSchema = Type.Object(
  {
    server: Type.Optional(ServerSchema),
    keys: Type.Optional(Type.Array(KeySchema, { description: "a list of keys" })),
    oauth: Type.Optional(OAuthSchema),
    upstreams: Type.Optional(Type.Array(Type.Unknown(), { description: "a list of upstreams" })),
    routes: Type.Optional(
      Type.Record(Type.String(), Type.Array(NameSchema), {
        description: "a list of upstreams for each model's name",
      }),
    ),
    modelAliases: Type.Optional(
      Type.Record(
        Type.String(),
        Type.String({ minLength: 1, maxLength: 200, description: "a model's name" }),
        {
          description: "a model for each name",
        },
      ),
    ),
    chats: Type.Optional(ChatsSchema),
    citations: Type.Optional(CitationsSchema),
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
    streams: Type.Optional(StreamsSchema),
    queue: Type.Optional(QueueSchema),
    files: Type.Optional(FilesSchema),
    tools: Type.Optional(ToolsSchema),
    store: Type.Optional(Type.String({ pattern: "^sqlite:.+", description: "sqlite: and a path" })),
    log: Type.Optional(LogSchema),
    // The short form: the three fields of reverse-kimi's file (configuration.md).
    token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "an API key of your own choosing" }),
    ),
    auth_token: Type.Optional(Type.String({ description: "an access token" })),
    refresh_token: Type.Optional(Type.String({ description: "a refresh token" })),
  },
  strict,
);

export type ConfigFile = Static<typeof ConfigFileSchema>;

/** The effective configuration: defaults filled in, the short form converted to `keys` and `upstreams`. */
export type Config = {
  server: Static<typeof ServerSchema>;
  keys: KeyConfig[];
  oauth?: OAuthConfig;
  upstreams: UpstreamConfig[];
  /** Upstream names by model name or pattern. */
  routes: Record<string, string[]>;
  /** Model names by the name or pattern that stands for them. */
  modelAliases: Record<string, string>;
  chats: Static<typeof ChatsSchema>;
  citations: Static<typeof CitationsSchema>;
  /** Additional regular expressions that identify side requests of chat UIs. */
  sideRequestPatterns: string[];
  streams: Static<typeof StreamsSchema>;
  queue: Static<typeof QueueSchema>;
  files: Omit<Static<typeof FilesSchema>, "folder"> & { folder: string };
  tools: Static<typeof ToolsSchema>;
  /** Absolute path of the database. */
  storePath: string;
  /**
   * 32 bytes each: the key that encrypts stored credentials, then the previous one. Empty: credentials are not
   * encrypted.
   */
  encryptionKeys: readonly Buffer[];
  log: { level: string };
  /** Problems that are logged at startup but are no errors. */
  warnings: string[];
};
