import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { JournalReader } from "../../admin/journal-reader.js";
import { GatewayError } from "../../core/errors.js";
import { adminSchemas as schemas } from "./contract.js";
import { journalRoutes } from "./journal-routes.js";

/** The use cases behind the routes. */
export type AdminContext = {
  journal: JournalReader;
};

/** `/v1/admin/*`: what the console and programs of an administrator use. */
export function adminRoutes({ journal }: AdminContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(journalRoutes(journal));
    await app.register(unansweredRoutes);
  };
}

const unansweredRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const routes = [
    ["GET", "/v1/admin/server", schemas.getServer],
    ["GET", "/v1/admin/events", schemas.streamEvents],
    ["GET", "/v1/admin/accounts", schemas.listAccounts],
    ["POST", "/v1/admin/accounts", schemas.importAccount],
    ["GET", "/v1/admin/accounts/:id/quota", schemas.getQuota],
    ["POST", "/v1/admin/accounts/:id/check", schemas.checkAccount],
    ["DELETE", "/v1/admin/accounts/:id", schemas.deleteAccount],
    ["GET", "/v1/admin/keys", schemas.listKeys],
    ["POST", "/v1/admin/keys", schemas.createKey],
    ["PATCH", "/v1/admin/keys/:id", schemas.updateKey],
    ["DELETE", "/v1/admin/keys/:id", schemas.deleteKey],
    ["GET", "/v1/admin/conversations", schemas.listConversations],
    ["DELETE", "/v1/admin/conversations/:upstream/:id", schemas.deleteConversation],
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
