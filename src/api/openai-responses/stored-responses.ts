import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ResponseStore, StoredResponse } from "../../core/store.js";
import { asObject, asText, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import type { TextSealer } from "../../lib/text-sealer.js";
import { inputItemId, responseIdOfItem } from "./ids.js";
import { itemType, type PlacedItem } from "./input-items.js";
import type { ResponseObject } from "./response-object.js";

/** A kept answer: the response as the client got it, and the items of its own request. */
export type KeptResponse = { response: JsonObject; input: readonly JsonObject[] };

/** Where a request goes on: the items so far, oldest first, and the conversation of the last answer. */
export type EarlierItems = { items: readonly PlacedItem[]; conversation: string | undefined };

export type StoredResponsesOptions = {
  store: ResponseStore;
  sealer: TextSealer;
  /** Milliseconds for which an answer is kept after the last one that continues it. */
  keepFor: () => number;
};

/** The answers that clients can name by their ids. The store gets their texts sealed; each belongs to one API key. */
export class StoredResponses {
  readonly #options: StoredResponsesOptions;

  constructor(options: StoredResponsesOptions) {
    this.#options = options;
  }

  /** Keeps an answer; false if it is too large for that. Throws StoreError. */
  async save(
    owner: string,
    response: ResponseObject,
    { input, previous }: { input: readonly PlacedItem[]; previous: string | undefined },
  ): Promise<boolean> {
    const { id } = response;
    const own = input.map(({ item }, index) => ({
      ...item,
      id: asText(item.id) ?? inputItemId(itemType(item), id, index),
    }));
    const text = JSON.stringify({ response, input: own });
    if (text.length > limits.storedResponse) return false;
    const now = Date.now();
    const expiresAt = now + this.#options.keepFor();
    const body = this.#options.sealer.seal(purposeOf(id), text);
    await this.#options.store.saveResponse(
      { id, owner, body, expiresAt, ...(previous === undefined ? {} : { previous }) },
      now,
    );
    return true;
  }

  /** The answer of this id. Throws `not_found`. */
  async get(owner: string, id: string): Promise<KeptResponse> {
    const [stored] = await this.#find(owner, id, 1);
    const kept = stored && this.#open(stored);
    if (!kept) throw responseNotFound();
    return kept;
  }

  /** Throws `not_found`. */
  async remove(owner: string, id: string): Promise<void> {
    if (!(await this.#options.store.removeResponse(owner, id))) throw responseNotFound();
  }

  /**
   * The items of the answer and of all that it continues. Throws `conversation_not_found` if one of them is unknown or
   * expired, or was deleted.
   */
  async itemsUpTo(owner: string, id: string): Promise<EarlierItems> {
    const chain = await this.#find(owner, id, limits.pathTurns);
    const kept = chain.map((stored) => this.#open(stored));
    const last = kept[0];
    if (!last || chain.at(-1)?.previous !== undefined) throw previousNotFound();
    const items = kept.toReversed().flatMap((each) => {
      if (!each) throw previousNotFound();
      return [...each.input, ...objectsIn(each.response.output)];
    });
    // A compacted history stands in the place of what was before it.
    const compacted = items.findLastIndex((item) => itemType(item) === "compaction");
    return {
      items: items.slice(Math.max(0, compacted)).map((item) => ({ item, path: "previous_response_id" })),
      conversation: asText(last.response.conversation_id),
    };
  }

  /** The items with those that references name in their place. Throws `not_found` for an unknown one. */
  async resolveReferences(owner: string, items: readonly PlacedItem[]): Promise<PlacedItem[]> {
    const known = new Map<string, Promise<readonly JsonObject[]>>();
    const resolved = items.map(async ({ item, path }): Promise<PlacedItem> => {
      if (itemType(item) !== "item_reference") return { item, path };
      const id = asText(item.id) ?? "";
      const responseId = responseIdOfItem(id) ?? "";
      const all = known.get(responseId) ?? this.#itemsOf(owner, responseId);
      known.set(responseId, all);
      const found = (await all).find((each) => each.id === id);
      if (!found) throw itemNotFound(path);
      return { item: found, path };
    });
    return Promise.all(resolved);
  }

  async #itemsOf(owner: string, responseId: string): Promise<readonly JsonObject[]> {
    const [stored] = await this.#find(owner, responseId, 1);
    const kept = stored && this.#open(stored);
    return kept ? [...objectsIn(kept.response.output), ...kept.input] : [];
  }

  #find(owner: string, id: string, limit: number): Promise<readonly StoredResponse[]> {
    return this.#options.store.findResponses(owner, id, { limit, bytes: limits.requestBody }, Date.now());
  }

  #open({ id, body }: StoredResponse): KeptResponse | undefined {
    const parsed = parseObject(this.#options.sealer.open(purposeOf(id), body) ?? "");
    const response = asObject(parsed?.response);
    return response && { response, input: objectsIn(parsed?.input) };
  }
}

function purposeOf(id: string): string {
  return `responses: stored ${id}`;
}

function responseNotFound(): GatewayError {
  return new GatewayError(
    "not_found",
    "There is no response of this id: it was never stored, has expired or was deleted.",
    { param: "id" },
  );
}

function previousNotFound(): GatewayError {
  return new GatewayError(
    "conversation_not_found",
    "This response, or one that it continues, is not here: it was never stored, has expired or was deleted. Send the " +
      "conversation so far as input, without previous_response_id.",
    { param: "previous_response_id" },
  );
}

function itemNotFound(path: string): GatewayError {
  return new GatewayError(
    "not_found",
    `${path}: the item is not here: its response was never stored, has expired or was deleted. Send the item itself.`,
    { param: path },
  );
}
