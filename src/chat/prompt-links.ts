import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, MediaPart, Message } from "../core/types.js";

/** Finds a link's media type without downloading its content. */
export type LinkInspector = {
  describe(url: string, signal: AbortSignal): Promise<{ mediaType: string }>;
};

/** A link in a prompt: a document or picture to attach, a notice that it could not be inspected, or none: a web page. */
export type InspectedLink = { url: string; part?: MediaPart; notice?: ChatEvent };

/** A link ends at a space, a bracket, a quote or any non-ASCII character, as in “见https://a.example/b.pdf，谢谢”. */
const urlPattern = /https?:\/\/[^\s<>"'`()[\]{}|\\^\u0080-\uffff]+/gi;

/** The lookbehind keeps it linear: without it every position of a long run of dots would be a start. */
const trailingPunctuation = /(?<![.,;:!?*_~])[.,;:!?*_~]+$/;

/** Media types that are attached; pages and everything else are left to the upstream. */
const attachedTypes =
  /^(image\/(?!svg)|application\/(pdf|msword|rtf|epub\+zip|vnd\.(openxmlformats-officedocument|ms-(excel|powerpoint))))/;

/**
 * Inspects links within `limits.promptLinkProbe` for all of them together. A document or picture becomes a part to
 * attach; a page stays a link, which the upstream's search may open. A link that fails becomes a notice.
 */
export async function inspectLinks(
  urls: readonly string[],
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<InspectedLink[]> {
  if (urls.length === 0) return [];
  const timeLimit = AbortSignal.any([signal, AbortSignal.timeout(limits.promptLinkProbe)]);
  const links = await Promise.all(urls.map((url) => inspectLink(url, inspector, timeLimit)));
  signal.throwIfAborted();
  return links;
}

/** The distinct links in user messages, those of the last message first; at most `limits.promptLinks`. */
export function findLinks(messages: readonly Message[]): string[] {
  const links = new Set<string>();
  for (const message of messages.toReversed()) {
    if (message.role !== "user") continue;
    for (const part of message.content) {
      // Almost no text has a link, and `includes` is cheaper than the pattern.
      if (part.type !== "text" || !part.text.includes("://")) continue;
      for (const [match] of part.text.matchAll(urlPattern)) {
        const url = match.replace(trailingPunctuation, "");
        links.add(url);
        if (links.size === limits.promptLinks) return [...links];
      }
    }
  }
  return [...links];
}

async function inspectLink(
  url: string,
  inspector: LinkInspector,
  signal: AbortSignal,
): Promise<InspectedLink> {
  try {
    const { mediaType } = await inspector.describe(url, signal);
    if (!attachedTypes.test(mediaType)) return { url };
    const type = mediaType.startsWith("image/") ? "image" : "file";
    return { url, part: { type, source: { kind: "link", url }, mediaType, path: "messages" } };
  } catch (error) {
    return { url, notice: unreadLinkNotice(url, error) };
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
