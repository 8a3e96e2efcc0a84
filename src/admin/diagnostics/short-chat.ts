import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ThreadStore } from "../../core/store.js";
import type { EventSink, Upstream } from "../../core/types.js";
import type { Finding } from "./finding.js";

/** The account works, and has its hands full. */
const later = new Set<ErrorCode>(["account_busy", "rate_limited", "upstream_overloaded"]);

type Chats = Pick<ThreadStore, "saveChat" | "removeChat">;

/**
 * Two words to the usual model, without thinking and search. The chat is deleted at once; if that fails, or this
 * process is killed, a Moonbridge that runs does it, since the store knows of it. Throws GatewayError.
 */
export async function shortChat(
  what: string,
  upstream: Upstream,
  store: Chats | undefined,
  signal: AbortSignal,
): Promise<Finding> {
  const startedAt = Date.now();
  const models = await upstream.models(signal);
  const model = models.find(({ isDefault }) => isDefault) ?? models[0];
  if (!model) return { what, state: "fail", detail: "there is no model to chat with" };
  const request = {
    model,
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "Say hi" }] }],
    search: false,
    thinking: model.thinking[0],
    stream: true,
    limits: { maxTokens: 16 },
  };
  let opened: string | undefined;
  let isGone = true;
  try {
    const hear: EventSink = (events) => {
      const place = events.find((event) => event.type === "opened");
      if (!place || place.chat === opened) return undefined;
      opened = place.chat;
      return store?.saveChat(ours(upstream, opened, Date.now() + limits.doctorCheck * 2));
    };
    await upstream.chat(request, hear, signal);
  } catch (error) {
    if (!(error instanceof GatewayError) || !later.has(error.code)) throw error;
    return { what, state: "warn", detail: error.message };
  } finally {
    if (opened !== undefined) isGone = await remove(upstream, opened, store);
  }
  const detail = `${model.id} answered within ${Date.now() - startedAt} ms`;
  if (opened === undefined) return { what, state: "ok", detail };
  if (isGone) return { what, state: "ok", detail: `${detail}; the chat is deleted again` };
  return {
    what,
    state: "warn",
    detail: `${detail}; the chat could not be deleted on Kimi's side`,
    remedy: "A Moonbridge that runs deletes it, as long as the login works.",
  };
}

async function remove(upstream: Upstream, chat: string, store: Chats | undefined): Promise<boolean> {
  try {
    await upstream.deleteChat?.(chat, AbortSignal.timeout(limits.doctorLastWords));
    await store?.removeChat(upstream.name, chat);
    return true;
  } catch {
    await store?.saveChat(ours(upstream, chat, Date.now()));
    return false;
  }
}

function ours({ name }: Upstream, chat: string, dueAt: number) {
  return { upstream: name, chat, scope: "doctor", dueAt };
}
