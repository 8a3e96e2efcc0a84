import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { ConversationAdmin } from "../../admin/conversation-admin.js";
import { adminSchemas as schemas } from "./contract.js";
import { readPageSize, readPosition } from "./page.js";
import { isoTime } from "./schemas/field.js";

/** `/v1/admin/conversations`: the chats that Moonbridge made. */
export function conversationRoutes(conversations: ConversationAdmin): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get("/v1/admin/conversations", { schema: schemas.listConversations }, async ({ query }) => {
      const { upstream, limit, before } = query;
      const selection = { upstream, limit: readPageSize(limit), before: readPosition(before) };
      const { chats, total, next } = await conversations.list(selection);
      const data = chats.map(({ upstream, chat, turns, dueAt, attempts }) => ({
        ...{ id: chat, object: "conversation" as const, upstream, turns },
        due_at: isoTime(dueAt),
        failed_deletions: attempts,
      }));
      return { object: "list" as const, data, total, next: next === undefined ? null : String(next) };
    });

    const options = { schema: schemas.deleteConversation };
    app.delete("/v1/admin/conversations/:upstream/:id", options, async ({ params, stopSignal }) => {
      await conversations.delete(params.upstream, params.id, stopSignal);
      return { id: params.id, object: "conversation" as const, deleted: true };
    });
  };
}
