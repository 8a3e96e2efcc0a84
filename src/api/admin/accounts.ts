import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { Chat } from "../../chat/chat-service.js";
import { toGatewayError } from "../../core/errors.js";
import type { Quota } from "../../core/types.js";

/** `GET /v1/accounts`: the state of each account, what it has used, and how many wait for it. */
export function accounts(chat: Chat): FastifyPluginAsyncTypebox {
  return async (app) => {
    const schema = { summary: "The accounts: state, expiry, quota, queue", tags: ["accounts"] };
    app.get("/v1/accounts", { schema }, async (request) => {
      const data = chat.status().map(async ({ status, running, waiting, ...report }) => ({
        id: report.upstream,
        object: "account",
        kind: report.kind,
        simulated: report.simulated,
        state: status.state,
        detail: status.detail,
        until: date("until" in status ? status.until : undefined),
        expires_at: date("expiresAt" in status ? status.expiresAt : undefined),
        failing: report.failing,
        queue: { running, waiting },
        quota: await quotaOf(chat, report.upstream, request.stop),
      }));
      return { object: "list", data: await Promise.all(data) };
    });
  };
}

/** Null where there is no such thing; an upstream that cannot say must not hide the others. */
async function quotaOf(chat: Chat, upstream: string, signal: AbortSignal) {
  try {
    return (await chat.quota(upstream, signal))?.map(describe) ?? null;
  } catch (error) {
    return { error: toGatewayError(error).code };
  }
}

function describe({ name, used, resetsAt }: Quota) {
  return { name, used, resets_at: date(resetsAt) };
}

function date(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
