import { describeError } from "../../core/error-text.js";
import { type ErrorCode, GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ConversationStore } from "../../core/store.js";
import type { EventSink, Upstream } from "../../core/types.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import type { LocalizedText } from "../../i18n/text.js";
import type { Finding } from "./finding.js";

/** Errors of an account that works but is busy. */
const busyCodes = new Set<ErrorCode>(["account_busy", "rate_limited", "upstream_overloaded"]);

type TestChatStore = Pick<ConversationStore, "saveChat" | "removeChat">;

/**
 * Sends a short chat to the default model, without thinking and search, and deletes it. The chat is recorded in the
 * store, so that a running Moonbridge deletes it if this process cannot. Throws GatewayError.
 */
export async function runShortChat(
  what: LocalizedText,
  upstream: Upstream,
  store: TestChatStore | undefined,
  signal: AbortSignal,
): Promise<Finding> {
  const startedAt = Date.now();
  const models = await upstream.models(signal);
  const model = models.find(({ isDefault }) => isDefault) ?? models[0];
  if (!model) return { what, state: "fail", detail: doctorMessages.noModel };
  const request = {
    model,
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "Say hi" }] }],
    search: false,
    thinking: model.thinking[0],
    stream: true,
    limits: { maxTokens: 16 },
  };
  let chat: string | undefined;
  let isDeleted = true;
  try {
    const onEvents: EventSink = (events) => {
      const chatOpened = events.find((event) => event.type === "chat-opened");
      if (!chatOpened || chatOpened.chat === chat) return undefined;
      chat = chatOpened.chat;
      return store?.saveChat(storedTestChat(upstream, chat, Date.now() + limits.doctorCheck * 2));
    };
    await upstream.chat(request, onEvents, signal);
  } catch (error) {
    if (!(error instanceof GatewayError) || !busyCodes.has(error.code)) throw error;
    return { what, state: "warn", detail: describeError(error) };
  } finally {
    if (chat !== undefined) isDeleted = await deleteTestChat(upstream, chat, store);
  }
  const detail = doctorMessages.answered(model.id, Date.now() - startedAt);
  if (chat === undefined) return { what, state: "ok", detail };
  if (isDeleted) return { what, state: "ok", detail: doctorMessages.chatDeleted(detail) };
  return {
    what,
    state: "warn",
    detail: doctorMessages.chatNotDeleted(detail),
    remedy: doctorMessages.runningDeletes,
  };
}

async function deleteTestChat(
  upstream: Upstream,
  chat: string,
  store: TestChatStore | undefined,
): Promise<boolean> {
  try {
    await upstream.deleteChat?.(chat, AbortSignal.timeout(limits.doctorCleanup));
    await store?.removeChat(upstream.name, chat, Date.now());
    return true;
  } catch {
    await store?.saveChat(storedTestChat(upstream, chat, Date.now()));
    return false;
  }
}

function storedTestChat({ name }: Upstream, chat: string, dueAt: number) {
  return { upstream: name, chat, scope: "doctor", dueAt };
}
