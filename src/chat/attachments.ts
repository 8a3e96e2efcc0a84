import type { AccountQueue } from "../accounts/account-queue.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { ChatEvent, FileContent, MediaPart, Message, Part, Upstream } from "../core/types.js";
import type { RequestLinks } from "../files/request-links.js";
import type { Uploads, UploadTarget } from "../files/upstream-uploads.js";
import { findLinks, inspectLinks, type LinkInspector, unreadLinkNotice } from "./prompt-links.js";
import { mergeTranscript } from "./transcript.js";

export type AttachmentsDependencies = {
  uploads: Uploads;
  /** Without it, links in prompts are left to the upstream. */
  linkInspector: LinkInspector | undefined;
};

/** One message whose files are references to uploads, and a notice for each link that was not attached. */
export type AttachedMessage = { content: Part[]; notices: ChatEvent[] };

/** A link in a prompt after its inspection; neither part nor notice: a web page. */
type AttachedLink = { part?: Part; notice?: ChatEvent };

/**
 * The pictures and files of one request at one upstream, and the documents that its text links to. `prepare` uploads
 * them, before the request waits for its turn at the account: a slow link must not take up a slot.
 */
export class Attachments {
  readonly #uploads: Uploads;
  readonly #inspector: LinkInspector | undefined;
  readonly #target: UploadTarget;
  readonly #parts = new Map<MediaPart, Part>();
  /** By URL. */
  readonly #links = new Map<string, AttachedLink>();

  constructor({ uploads, linkInspector }: AttachmentsDependencies, target: UploadTarget) {
    this.#uploads = uploads;
    this.#inspector = target.upstream.upload && linkInspector;
    this.#target = target;
  }

  /** Whether the messages refer to anything that may have to be uploaded. */
  areIn(messages: readonly Message[]): boolean {
    return (
      messages.some(({ content }) => content.some((part) => part.type !== "text")) ||
      this.#findLinks(messages).length > 0
    );
  }

  /** Uploads a text as a file, and returns the part to refer to it. Throws what `Uploads.attachText` throws. */
  async attachText(name: string, pieces: readonly string[], signal: AbortSignal): Promise<MediaPart> {
    const part = await this.#uploads.attachText(name, pieces, this.#target, signal);
    this.#parts.set(part, part);
    return part;
  }

  /**
   * Uploads what the messages refer to and has not been uploaded yet. `linked` as for `merge`. Throws `invalid_request` beyond
   * `limits.filesPerMessage`, and what `Uploads.attach` throws. A link in the text that fails becomes a notice.
   */
  async prepare(messages: readonly Message[], signal: AbortSignal, linked = messages): Promise<void> {
    const media = mergeTranscript(messages).content.filter((part) => part.type !== "text");
    if (media.length > limits.filesPerMessage) {
      throw new GatewayError(
        "invalid_request",
        `messages: this turn would send ${media.length} pictures and files; at most ${limits.filesPerMessage} go at once.`,
        { param: "messages" },
      );
    }
    for (const part of media) {
      if (!this.#parts.has(part))
        this.#parts.set(part, await this.#uploads.attach(part, this.#target, signal));
    }
    if (!this.#inspector) return;
    const urls = this.#findLinks(linked).filter((url) => !this.#links.has(url));
    for (const { url, part, notice } of await inspectLinks(urls, this.#inspector, signal)) {
      const failed = notice ? { notice } : {};
      this.#links.set(url, part ? await this.#attachLinked(url, part, signal) : failed);
    }
  }

  /**
   * The messages as one, with what `prepare` has uploaded; undefined if that does not cover these messages. `linked`: the
   * messages whose links are attached, where the others were written from those.
   */
  merge(messages: readonly Message[], linked = messages): AttachedMessage | undefined {
    const content: Part[] = [];
    for (const part of mergeTranscript(messages).content) {
      const attached = part.type === "text" ? part : this.#parts.get(part);
      if (!attached) return undefined;
      content.push(attached);
    }
    const notices: ChatEvent[] = [];
    for (const url of this.#findLinks(linked)) {
      const link = this.#links.get(url);
      if (!link) return undefined;
      if (link.part) content.push(link.part);
      if (link.notice) notices.push(link.notice);
    }
    return { content, notices };
  }

  #findLinks(messages: readonly Message[]): string[] {
    return this.#inspector ? findLinks(messages) : [];
  }

  async #attachLinked(url: string, part: MediaPart, signal: AbortSignal): Promise<AttachedLink> {
    try {
      return { part: await this.#uploads.attach(part, this.#target, signal) };
    } catch (error) {
      signal.throwIfAborted();
      return { notice: unreadLinkNotice(url, error) };
    }
  }
}

/** Where the files of a request go. Uploads wait for their turn at the account, apart from its answers. */
export function uploadTarget(
  upstream: Upstream,
  { owner, links, queue }: { owner: string; links: RequestLinks; queue: AccountQueue },
): UploadTarget {
  const upload = async (content: FileContent, signal: AbortSignal) => {
    if (!upstream.upload) throw new Error("an upload to an upstream that takes no files");
    const slot = await queue.acquireUpload(owner, signal);
    try {
      return await upstream.upload(content, signal);
    } catch (error) {
      // Whatever the file is: several files of one request must not count as several prompts.
      queue.recordFailure(error, `uploads of ${owner}`);
      throw error;
    } finally {
      slot.release();
    }
  };
  return { upstream, owner, links, upload };
}
