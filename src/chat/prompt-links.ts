import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, MediaPart, Message } from "../core/types.js";

/** What a link leads to, found out without reading it. */
export type LinkInspector = {
  describe(url: string, signal: AbortSignal): Promise<{ mediaType: string }>;
};

/** What was found behind the links of a prompt. */
export type PromptLinks = { parts: MediaPart[]; notices: ChatEvent[] };

/** Ends where prose ends: at a space, a bracket, a quote, or anything wide, as in “见https://a.example/b.pdf，谢谢”. */
const address = /https?:\/\/[^\s<>"'`()[\]{}|\\^\u0080-\uffff]+/gi;

/** Documents and pictures are fetched and sent along; pages and everything else are left to the upstream. */
const fetched =
  /^(image\/(?!svg)|application\/(pdf|msword|rtf|epub\+zip|vnd\.(openxmlformats-officedocument|ms-(excel|powerpoint))))/;

/**
 * Looks behind the links in the words of users, the latest first: a document or picture becomes a part to send
 * along, a page stays a link that the upstream's search may open. What cannot be looked at becomes a notice.
 */
export async function followPromptLinks(
  messages: readonly Message[],
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<PromptLinks> {
  const links = linksIn(messages);
  if (links.length === 0) return { parts: [], notices: [] };
  const enough = AbortSignal.any([signal, AbortSignal.timeout(limits.linkLook)]);
  const looks = links.map((link) => look(link, inspector, enough));
  const found = await Promise.all(looks);
  signal.throwIfAborted();
  return {
    parts: found.flatMap(({ part }) => part ?? []),
    notices: found.flatMap(({ notice }) => notice ?? []),
  };
}

type Link = { url: string; at: string };

/** The links of a conversation's user messages, each once, those of the last message first. */
export function linksIn(messages: readonly Message[]): Link[] {
  const links = new Map<string, Link>();
  for (const message of messages.toReversed()) {
    if (message.role !== "user") continue;
    for (const part of message.content) {
      // Almost no text has one, and looking is cheaper than searching.
      if (part.type !== "text" || !part.text.includes("://")) continue;
      for (const [found] of part.text.matchAll(address)) {
        const url = found.replace(/[.,;:!?*_~]+$/, "");
        if (links.size < limits.promptLinks && !links.has(url)) links.set(url, { url, at: "messages" });
      }
    }
  }
  return [...links.values()];
}

async function look(
  { url, at }: Link,
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<{ part?: MediaPart; notice?: ChatEvent }> {
  try {
    const { mediaType } = await inspector.describe(url, signal);
    if (!fetched.test(mediaType)) return {};
    const type = mediaType.startsWith("image/") ? "image" : "file";
    return { part: { type, source: { kind: "link", url }, mediaType, path: at } };
  } catch (error) {
    return { notice: linkNotice(url, error) };
  }
}

/** A link that was left to the upstream, and why. */
export function linkNotice(url: string, error: unknown): ChatEvent {
  const why = error instanceof GatewayError ? error.message : "It did not answer in time.";
  const host = URL.canParse(url) ? new URL(url).host : "it";
  return {
    type: "notice",
    code: "link_not_read",
    message: `The link to ${host} was not read here; Kimi may still open it. ${why}`,
  };
}
