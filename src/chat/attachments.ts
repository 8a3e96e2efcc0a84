import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, MediaPart, Message, Part, Upstream } from "../core/types.js";
import type { Uploads } from "../files/uploads.js";
import { followPromptLinks, type LinkInspector, linkNotice } from "./prompt-links.js";

/** Whose files go where. */
export type Destination = { upstream: Upstream; owner: string };

/** What goes with a message: its parts as the upstream knows them, and what is to be said of links left alone. */
export type Attached = { content: Part[]; notices: ChatEvent[] };

/** Brings what belongs to a message to the upstream: its pictures and files, and the documents that its words link to. */
export class Attachments {
  readonly #uploads: Uploads;
  readonly #inspector: LinkInspector | undefined;

  /** Without an inspector, links in prompts are left to the upstream. */
  constructor(uploads: Uploads, inspector: LinkInspector | undefined) {
    this.#uploads = uploads;
    this.#inspector = inspector;
  }

  /** The pictures and files among these parts, placed. Throws what `Uploads.place` throws, naming the part. */
  async place(content: readonly Part[], to: Destination, signal: AbortSignal): Promise<Part[]> {
    const media = content.filter((part) => part.type !== "text").length;
    if (media > limits.filesPerMessage) {
      throw new GatewayError(
        "invalid_request",
        `messages: this turn would send ${media} pictures and files; at most ${limits.filesPerMessage} go at once.`,
        { param: "messages" },
      );
    }
    const placed: Part[] = [];
    for (const part of content) {
      placed.push(
        part.type === "text" ? part : await this.#uploads.place(part, to.upstream, to.owner, signal),
      );
    }
    return placed;
  }

  /** The documents and pictures that the messages link to, placed. One that cannot be had is left alone, with a notice. */
  async placeLinked(messages: readonly Message[], to: Destination, signal: AbortSignal): Promise<Attached> {
    if (!this.#inspector || !to.upstream.upload) return { content: [], notices: [] };
    const { parts, notices } = await followPromptLinks(messages, this.#inspector, signal);
    const attached: Attached = { content: [], notices };
    for (const part of parts) {
      try {
        attached.content.push(await this.#uploads.place(part, to.upstream, to.owner, signal));
      } catch (error) {
        signal.throwIfAborted();
        attached.notices.push(linkNotice(urlOf(part), error));
      }
    }
    return attached;
  }
}

function urlOf({ source }: MediaPart): string {
  return source.kind === "link" ? source.url : "";
}
