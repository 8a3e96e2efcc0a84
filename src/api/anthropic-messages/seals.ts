import type { TextSealer } from "../../lib/text-sealer.js";

/** Longer reasoning is signed only: its seal would not fit into one event, and clients do not join pieces of it. */
const maxSealedLength = 8_000;

/**
 * What clients keep of an answer and send back unread: the signatures of thinking blocks, and of what a search has found.
 * Both tell our own blocks from those of another service.
 */
export class Seals {
  readonly #sealer: TextSealer;

  constructor(sealer: TextSealer) {
    this.#sealer = sealer;
  }

  /** The signature of a thinking block. `isOmitted`: the block has no text, so that its signature contains it. */
  signThinking(thinking: string, { isOmitted }: { isOmitted: boolean }): string {
    if (!isOmitted) return this.#sealer.sign("thinking", thinking);
    return this.#sealer.seal("omitted thinking", thinking.length > maxSealedLength ? "" : thinking);
  }

  /** The reasoning of a thinking block; undefined if it was not signed here, or was altered. */
  readThinking(thinking: string, signature: string): string | undefined {
    if (thinking === "") return this.#sealer.open("omitted thinking", signature);
    return this.#sealer.isSigned("thinking", thinking, signature) ? thinking : undefined;
  }

  /** The opaque `encrypted_content` of a page that a search has found. */
  signResult(url: string): string {
    return this.#sealer.sign("search result", url);
  }

  isOwnResult(url: string, signature: string): boolean {
    return this.#sealer.isSigned("search result", url, signature);
  }
}
