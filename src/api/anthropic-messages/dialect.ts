import type { Dialect } from "../dialect.js";
import { documentation, errorSchema } from "./documentation.js";
import { errorEnvelope, wireStatus, wireType } from "./errors.js";
import { messagesRoutes } from "./route.js";

/** Anthropic's Messages, as Claude Code and Anthropic's SDKs use them (clients.md §3.5, §4.1). */
export const anthropicMessages: Dialect = {
  name: "messages",
  ownsPath: (path) => path === "/v1/messages" || path.startsWith("/v1/messages/"),
  errors: { body: errorEnvelope, status: wireStatus, wireCode: wireType, schema: errorSchema },
  routes: messagesRoutes,
  documentation,
};
