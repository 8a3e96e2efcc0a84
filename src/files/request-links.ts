import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { FetchedPicture } from "../core/types.js";
import { KeySlots } from "../lib/key-slots.js";
import type { Slot } from "../lib/slot-queue.js";
import type { LinkBudget } from "./link-budget.js";
import { linkToWebPage } from "./link-errors.js";
import type { LinkedFile, LinkFetcher, OpenLinkedFile } from "./link-fetcher.js";
import { isWebPage } from "./web-page.js";

/** Fetches the links of all requests within what each API key, and all of them, may occupy on disk and in memory. */
export class LinkFetches {
  readonly #slots = new KeySlots({
    waitLimits: () => ({ depth: limits.linkFetchQueue, maxWait: limits.linkFetchWait }),
    createBusyError: () => tooManyError("This key fetches too many links at once."),
  });
  readonly #pictureBytes = new Map<string, number>();
  #allPictureBytes = 0;

  /** The links of one request of this API key, to be fetched by `fetcher`. */
  forRequest(owner: string, fetcher: LinkFetcher): RequestLinks {
    return new RequestLinks(owner, fetcher, this);
  }

  /** Waits until the key may fetch one more file; the slot is held as long as the file takes disk space or is fetched. */
  acquireSlot(owner: string, signal: AbortSignal): Promise<Slot> {
    return this.#slots.acquire(owner, limits.linkFetchesPerKey, signal);
  }

  /** Takes memory for a picture. Throws `rate_limited` if other requests hold too much of it. */
  takeMemory(owner: string, bytes: number): void {
    const ofKey = (this.#pictureBytes.get(owner) ?? 0) + bytes;
    if (ofKey > limits.inlinedFilesPerKey)
      throw tooManyError("The requests of this key hold too many linked pictures at once.");
    if (this.#allPictureBytes + bytes > limits.inlinedFiles)
      throw tooManyError("Moonbridge holds too many linked pictures at once.");
    this.#pictureBytes.set(owner, ofKey);
    this.#allPictureBytes += bytes;
  }

  returnMemory(owner: string, bytes: number): void {
    const ofKey = (this.#pictureBytes.get(owner) ?? 0) - bytes;
    if (ofKey > 0) this.#pictureBytes.set(owner, ofKey);
    else this.#pictureBytes.delete(owner);
    this.#allPictureBytes -= bytes;
  }
}

/** The links of one request, which share a budget of time. Release it when the request is over. */
export class RequestLinks {
  readonly #owner: string;
  readonly #fetcher: LinkFetcher;
  readonly #fetches: LinkFetches;
  readonly #budget: LinkBudget;
  #pictureBytes = 0;

  constructor(owner: string, fetcher: LinkFetcher, fetches: LinkFetches) {
    this.#owner = owner;
    this.#fetcher = fetcher;
    this.#fetches = fetches;
    this.#budget = fetcher.createBudget();
  }

  acquireSlot(signal: AbortSignal): Promise<Slot> {
    return this.#fetches.acquireSlot(this.#owner, signal);
  }

  /** Type and name of what a link leads to, without its content. Throws the errors of LinkFetcher, and `rate_limited`. */
  async describe(url: string, signal: AbortSignal): Promise<LinkedFile> {
    const slot = await this.acquireSlot(signal);
    try {
      return await this.#fetcher.describe(url, signal);
    } finally {
      slot.release();
    }
  }

  /** Opens a linked file for streaming; call it with a slot. Throws the errors of LinkFetcher. */
  open(url: string, signal: AbortSignal): Promise<OpenLinkedFile> {
    return this.#fetcher.open(url, signal, this.#budget);
  }

  /** The same for a link to a picture: its body throws `file_rejected` at the first bytes of a web page. */
  async openPicture(url: string, signal: AbortSignal): Promise<OpenLinkedFile> {
    const file = await this.open(url, signal);
    return { ...file, body: pictureBody(file) };
  }

  /**
   * Downloads a linked picture into memory, for services that fetch no links. It counts until `release`. Throws the errors
   * of LinkFetcher, `file_rejected` for a web page and for what is too large for a request, and `rate_limited`.
   */
  async fetchPicture(url: string, signal: AbortSignal): Promise<FetchedPicture> {
    const slot = await this.acquireSlot(signal);
    try {
      const file = await this.openPicture(url, signal);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of file.body) {
        size += chunk.length;
        if (size > limits.inlinedFile) throw tooLargeError("What the link leads to is", limits.inlinedFile);
        this.#takeMemory(chunk.length);
        chunks.push(chunk);
      }
      return { mediaType: file.mediaType, base64: Buffer.concat(chunks).toString("base64") };
    } finally {
      slot.release();
    }
  }

  /** Returns the memory of the pictures. */
  release(): void {
    this.#fetches.returnMemory(this.#owner, this.#pictureBytes);
    this.#pictureBytes = 0;
  }

  #takeMemory(bytes: number): void {
    if (this.#pictureBytes + bytes > limits.inlinedFilesPerKey)
      throw tooLargeError("The linked pictures of this request are together", limits.inlinedFilesPerKey);
    this.#fetches.takeMemory(this.#owner, bytes);
    this.#pictureBytes += bytes;
  }
}

function tooLargeError(subject: string, bytes: number): GatewayError {
  return new GatewayError("file_rejected", `${subject} larger than ${bytes / 1_048_576} MB.`);
}

function tooManyError(reason: string): GatewayError {
  return new GatewayError("rate_limited", `${reason} Try again in a few seconds.`, { retryAfterSeconds: 5 });
}

async function* pictureBody({ url, mediaType, body }: OpenLinkedFile): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of body) {
    if (isFirst && isWebPage(mediaType, chunk)) throw linkToWebPage(new URL(url).hostname);
    isFirst = false;
    yield chunk;
  }
}
