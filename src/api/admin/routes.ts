import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { AccountAdmin } from "../../admin/account-admin.js";
import type { ApiKeyAdmin } from "../../admin/api-keys.js";
import type { ConversationAdmin } from "../../admin/conversation-admin.js";
import type { JournalReader } from "../../admin/journal-reader.js";
import { GatewayError } from "../../core/errors.js";
import { accountRoutes } from "./account-routes.js";
import { adminSchemas as schemas } from "./contract.js";
import { conversationRoutes } from "./conversation-routes.js";
import { journalRoutes } from "./journal-routes.js";
import { keyRoutes } from "./key-routes.js";

/** The use cases behind the routes. */
export type AdminContext = {
  journal: JournalReader;
  accounts: AccountAdmin;
  /** The keys of the configuration in force. */
  keys: () => ApiKeyAdmin;
  conversations: ConversationAdmin;
};

/** `/v1/admin/*`: what the console and programs of an administrator use. */
export function adminRoutes(context: AdminContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(journalRoutes(context.journal));
    await app.register(accountRoutes(context.accounts));
    await app.register(keyRoutes(context.keys));
    await app.register(conversationRoutes(context.conversations));
    await app.register(unansweredRoutes);
  };
}

const unansweredRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const routes = [
    ["GET", "/v1/admin/server", schemas.getServer],
    ["GET", "/v1/admin/events", schemas.streamEvents],
    ["POST", "/v1/admin/diagnostics", schemas.runDiagnostics],
    ["GET", "/v1/admin/drift", schemas.listDrift],
    ["GET", "/v1/admin/log", schemas.getLog],
    ["GET", "/v1/admin/support-bundle", schemas.getSupportBundle],
  ] as const;
  for (const [method, url, schema] of routes)
    app.route({
      method,
      url,
      schema,
      handler: async () => {
        throw new GatewayError("not_found", "This route of the console's API does not answer yet.");
      },
    });
};
