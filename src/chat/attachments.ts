import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, MediaPart, Message, Part, Upstream } from "../core/types.js";
import type { Uploads } from "../files/upstream-uploads.js";
import { type LinkInspector, resolvePromptLinks, unreadLinkNotice } from "./prompt-links.js";

/** The upstream that gets the files, and the key name that owns them. */
export type Destination = { upstream: Upstream; owner: string };

/** Parts that refer to uploaded files, and a notice for each link that was not attached. */
export type AttachResult = { content: Part[]; notices: ChatEvent[] };

/** Uploads the pictures and files of messages, and the documents that their text links to. */
export class Attachments {
  readonly #uploads: Uploads;
  readonly #inspector: LinkInspector | undefined;

  /** Without an inspector, links in prompts are left to the upstream. */
  constructor(uploads: Uploads, inspector: LinkInspector | undefined) {
    this.#uploads = uploads;
    this.#inspector = inspector;
  }

  /**
   * The same parts, with pictures and files as references to uploads. Throws `invalid_request` beyond
   * `limits.filesPerMessage`, and what `Uploads.attach` throws, with the part's path.
   */
  async attach(content: readonly Part[], destination: Destination, signal: AbortSignal): Promise<Part[]> {
    const mediaCount = content.filter((part) => part.type !== "text").length;
    if (mediaCount > limits.filesPerMessage) {
      throw new GatewayError(
        "invalid_request",
        `messages: this turn would send ${mediaCount} pictures and files; at most ${limits.filesPerMessage} go at once.`,
        { param: "messages" },
      );
    }
    const attached: Part[] = [];
    for (const part of content) {
      attached.push(
        part.type === "text"
          ? part
          : await this.#uploads.attach(part, destination.upstream, destination.owner, signal),
      );
    }
    return attached;
  }

  /** Uploads the documents and pictures that the messages link to. A link that fails becomes a notice, not an error. */
  async attachLinked(
    messages: readonly Message[],
    destination: Destination,
    signal: AbortSignal,
  ): Promise<AttachResult> {
    if (!this.#inspector || !destination.upstream.upload) return { content: [], notices: [] };
    const { parts, notices } = await resolvePromptLinks(messages, this.#inspector, signal);
    const result: AttachResult = { content: [], notices };
    for (const part of parts) {
      try {
        result.content.push(
          await this.#uploads.attach(part, destination.upstream, destination.owner, signal),
        );
      } catch (error) {
        signal.throwIfAborted();
        result.notices.push(unreadLinkNotice(urlOf(part), error));
      }
    }
    return result;
  }
}

function urlOf({ source }: MediaPart): string {
  return source.kind === "link" ? source.url : "";
}
