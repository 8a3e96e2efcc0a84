import type { Capabilities } from "../../core/capabilities.js";
import { textOf } from "../../core/message-content.js";
import type { UpstreamRequest } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { wrongPlaceError } from "./errors.js";

/** What a turn that continues a chat has sent, to be compared with what Kimi echoes. */
export type SentTurn = { chat: string; parent: string; text: string };

/** What Kimi's echo of this request is compared with; undefined for a new chat. */
export function sentTurn({ continueFrom, messages }: UpstreamRequest): SentTurn | undefined {
  if (!continueFrom) return undefined;
  const parts = messages.flatMap(({ content }) => content);
  return { ...continueFrom, text: textOf(parts) };
}

/**
 * Kimi echoes the user message with its parent (kimi-web.md §2.5). Another parent means that the answer would not follow
 * the conversation it was requested for: throws. Another text is only counted as drift, and compared no more: how Kimi
 * normalises it is not known.
 */
export function checkEcho(
  message: JsonObject,
  sent: SentTurn,
  {
    drift,
    capabilities,
  }: { drift: ProtocolDrift; capabilities: Pick<Capabilities, "has" | "contradict"> | undefined },
): void {
  const parent = asText(message.parentId) ?? asText(message.parent_id);
  if (parent === undefined) drift.record("echo", "parent");
  else if (parent !== sent.parent) throw wrongPlaceError();
  if (capabilities && !capabilities.has("echo-text")) return;
  const text = objectsIn(message.blocks).map((block) => asText(asObject(block.text)?.content) ?? "");
  if (text.join("") === sent.text) return;
  drift.record("echo", "text");
  capabilities?.contradict("echo-text");
}
