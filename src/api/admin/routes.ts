import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { AccountAdmin } from "../../admin/account-admin.js";
import type { Activity } from "../../admin/activity.js";
import type { ApiKeyAdmin } from "../../admin/api-keys.js";
import type { ConversationAdmin } from "../../admin/conversation-admin.js";
import { accountRoutes } from "./account-routes.js";
import { activityRoute } from "./activity-route.js";
import { conversationRoutes } from "./conversation-routes.js";
import { type HealthContext, healthRoutes } from "./health-routes.js";
import { journalRoutes } from "./journal-routes.js";
import { keyRoutes } from "./key-routes.js";

/** The use cases behind the routes. */
export type AdminContext = HealthContext & {
  activity: Activity;
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
    await app.register(activityRoute(context.activity, context.accounts));
    await app.register(healthRoutes(context));
  };
}
