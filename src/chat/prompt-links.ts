import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, MediaPart, Message } from "../core/types.js";

/** Finds a link's media type without downloading its content. */
export type LinkInspector = {
  describe(url: string, signal: AbortSignal): Promise<{ mediaType: string }>;
};

/** Linked documents and pictures, and a notice for each link that could not be inspected. */
export type ResolvedLinks = { parts: MediaPart[]; notices: ChatEvent[] };

/** A link ends at a space, a bracket, a quote or any non-ASCII character, as in “见https://a.example/b.pdf，谢谢”. */
const urlPattern = /https?:\/\/[^\s<>"'`()[\]{}|\\^\u0080-\uffff]+/gi;

/** Media types that are attached; pages and everything else are left to the upstream. */
const attachedTypes =
  /^(image\/(?!svg)|application\/(pdf|msword|rtf|epub\+zip|vnd\.(openxmlformats-officedocument|ms-(excel|powerpoint))))/;

/**
 * Inspects the links in user messages, the latest message first, within `limits.promptLinkProbe` for all links
 * together. A document or picture becomes a part to attach; a page stays a link, which the upstream's search may open.
 * A link that fails becomes a notice.
 */
export async function resolvePromptLinks(
  messages: readonly Message[],
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<ResolvedLinks> {
  const links = findLinks(messages);
  if (links.length === 0) return { parts: [], notices: [] };
  const timeLimit = AbortSignal.any([signal, AbortSignal.timeout(limits.promptLinkProbe)]);
  const inspections = links.map((link) => inspectLink(link, inspector, timeLimit));
  const results = await Promise.all(inspections);
  signal.throwIfAborted();
  return {
    parts: results.flatMap(({ part }) => part ?? []),
    notices: results.flatMap(({ notice }) => notice ?? []),
  };
}

type PromptLink = { url: string; path: string };

/** The distinct links in user messages, those of the last message first; at most `limits.promptLinks`. */
export function findLinks(messages: readonly Message[]): PromptLink[] {
  const links = new Map<string, PromptLink>();
  for (const message of messages.toReversed()) {
    if (message.role !== "user") continue;
    for (const part of message.content) {
      // Almost no text has a link, and `includes` is cheaper than the pattern.
      if (part.type !== "text" || !part.text.includes("://")) continue;
      for (const [match] of part.text.matchAll(urlPattern)) {
        const url = match.replace(/[.,;:!?*_~]+$/, "");
        if (links.size < limits.promptLinks && !links.has(url)) links.set(url, { url, path: "messages" });
      }
    }
  }
  return [...links.values()];
}

async function inspectLink(
  { url, path }: PromptLink,
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<{ part?: MediaPart; notice?: ChatEvent }> {
  try {
    const { mediaType } = await inspector.describe(url, signal);
    if (!attachedTypes.test(mediaType)) return {};
    const type = mediaType.startsWith("image/") ? "image" : "file";
    return { part: { type, source: { kind: "link", url }, mediaType, path: path } };
  } catch (error) {
    return { notice: unreadLinkNotice(url, error) };
  }
}

/** The notice that a link was left to the upstream, with the reason. */
export function unreadLinkNotice(url: string, error: unknown): ChatEvent {
  const reason = error instanceof GatewayError ? error.message : "It did not answer in time.";
  const host = URL.canParse(url) ? new URL(url).host : "it";
  return {
    type: "notice",
    code: "link_not_read",
    message: `The link to ${host} was not read here; Kimi may still open it. ${reason}`,
  };
}
