import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { onRequestAsyncHookHandler } from "fastify";
import type { ChatService } from "../chat/chat-service.js";
import type { ErrorCode, GatewayError } from "../core/errors.js";
import type { ResponseStore } from "../core/store.js";
import type { ApiOptions } from "./request-context.js";
import type { JsonSchema, RouteDocumentations } from "./route-documentation.js";

/** What the routes of a dialect work with. */
export type DialectContext = {
  chat: ChatService;
  /** Read a setting of these when a request begins: a reload changes it. */
  options: ApiOptions;
  /** Answers that clients can name by their ids; `keepFor`: milliseconds for which one is kept now after its last use. */
  responses: { store: ResponseStore; keepFor: () => number };
  /** Counts a request against the limit of its key; for the routes that answer chat requests. */
  rateLimit: onRequestAsyncHookHandler;
};

/** How a dialect renders errors, for everything under its paths: schema failures, keys, limits and unknown paths as well. */
export type ErrorFormat = {
  /** `requestId`: that of the response's headers. */
  body(error: GatewayError, requestId: string): object;
  /** The HTTP status of a code, where the dialect's clients expect another one than that of the code itself. */
  status?(code: ErrorCode): number | undefined;
  /** The code on the wire, for the documentation. */
  wireCode(code: ErrorCode): string;
  schema: JsonSchema;
};

/** An API format that clients speak. A new one is one folder with such an object and one line in `dialects.ts`. */
export type Dialect = {
  /** Its short name in the log. */
  name: string;
  /** Whether a path, without its query, belongs to this dialect. */
  ownsPath(path: string): boolean;
  errors: ErrorFormat;
  /** Registers the routes; their requests are authenticated and have the scope `chat`. */
  routes(context: DialectContext): FastifyPluginAsyncTypebox;
  documentation: RouteDocumentations;
};
