import { limits } from "../../core/limits.js";
import type { ChatEvent, Source } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";

/** A search result that came without its address, and the number that it has in citations. */
export type SourceWithoutAddress = { index: number; reference: string; blockId: string };

/** What must be requested to have all sources: addresses of results, and the contents of tool blocks by call id. */
export type MissingSources = { results: SourceWithoutAddress[]; toolCalls: string[] };

/** The search results of one answer, numbered from 1 in order of appearance (kimi-web.md §2.6). */
export class SearchSources {
  readonly #drift: ProtocolDrift;
  readonly #byReference = new Map<string, number>();
  /** The number of each URL. */
  readonly #byUrl = new Map<string, number>();
  /** The numbers of sources whose addresses are missing. */
  readonly #withoutAddress = new Set<number>();
  /** Those of them that only a citation mark has named so far. */
  readonly #onlyCited = new Set<number>();
  #count = 0;
  #isSearchAnnounced = false;
  #isFromList = false;
  readonly #toolCalls = new Set<string>();
  #missing: MissingSources | undefined;

  constructor(drift: ProtocolDrift) {
    this.#drift = drift;
  }

  /** Adds `searchChunks`, or the `searchResult`s of a tool's contents. Emits a `source` event for each new URL. */
  addResults(items: unknown, out: ChatEvent[]): void {
    for (const item of objectsIn(items)) this.#addResult(asObject(item.searchResult) ?? item, out);
  }

  /** Whether the answer has searched: it has sources, or a search was announced. */
  get hasSearched(): boolean {
    return this.#isSearchAnnounced || this.#count > 0;
  }

  announceSearch(): void {
    this.#isSearchAnnounced = true;
  }

  /** From now on the answer is read from a list of messages, which leaves contents and addresses out (kimi-web.md §6 #16). */
  readFromList(): void {
    this.#isFromList = true;
  }

  /** Whether there is a source with this `refIndex` or id. */
  has(reference: string): boolean {
    return this.#byReference.has(reference);
  }

  /**
   * The number of the source that a citation mark refers to, by its `refIndex` or its id. One that has not come yet gets its
   * number now. Undefined if there are too many.
   */
  cite(reference: string): number | undefined {
    const known = this.#byReference.get(reference);
    if (known !== undefined || this.#isFull()) return known;
    const index = ++this.#count;
    this.#withoutAddress.add(index);
    this.#onlyCited.add(index);
    this.#refer([reference], index);
    return index;
  }

  /** Counts the citations whose sources never came as protocol drift. To be called at the end of the answer. */
  recordUnknownCitations(): void {
    for (const _ of this.#onlyCited) this.#drift.record("citation", "unknown-reference");
    this.#onlyCited.clear();
  }

  /** Notes a tool block whose contents must be requested (kimi-web.md §6 #16). */
  addToolCall(id: string): void {
    if (this.#toolCalls.has(id)) return;
    this.#recordIncomplete("external-tool-block");
    if (this.#toolCalls.size >= limits.sourceLookups) return;
    this.#toolCalls.add(id);
    this.#missing ??= { results: [], toolCalls: [] };
    this.#missing.toolCalls.push(id);
  }

  /** What has been found missing since the last call; undefined if nothing. */
  takeMissing(): MissingSources | undefined {
    const missing = this.#missing;
    this.#missing = undefined;
    return missing;
  }

  /** Emits the source of a result that came without its address; nothing if `base` has none either. */
  addAddress(index: number, base: JsonObject, out: ChatEvent[]): void {
    const url = asText(base.url);
    if (!url || !this.#withoutAddress.delete(index)) return;
    this.#onlyCited.delete(index);
    this.#byUrl.set(url, index);
    out.push({ type: "source", source: toSource(index, url, base) });
  }

  #addResult(result: JsonObject, out: ChatEvent[]): void {
    const base = asObject(result.base) ?? result;
    const url = asText(base.url);
    const references = [result.refIndex, result.id].flatMap((value) => asText(value) || []);
    const cited = this.#findCited(references);
    const known = cited ?? this.#byReference.get(references[0] ?? "");
    if (!url) {
      if (cited !== undefined) this.#requestAddress(cited, result, references);
      else if (known === undefined && isSearchResult(result)) this.#addWithoutAddress(result, references);
      return;
    }
    if (known !== undefined && this.#withoutAddress.has(known)) {
      this.addAddress(known, base, out);
      this.#refer(references, known);
      return;
    }
    let index = this.#byUrl.get(url);
    if (index === undefined) {
      if (this.#isFull()) return;
      index = ++this.#count;
      this.#byUrl.set(url, index);
      out.push({ type: "source", source: toSource(index, url, base) });
    }
    this.#refer(references, index);
  }

  #recordIncomplete(name: string): void {
    if (!this.#isFromList) this.#drift.record("source", name);
  }

  #addWithoutAddress(result: JsonObject, references: readonly string[]): void {
    if (references.length === 0 || this.#isFull()) {
      this.#recordIncomplete("without-address");
      return;
    }
    const index = ++this.#count;
    this.#withoutAddress.add(index);
    this.#requestAddress(index, result, references);
  }

  #requestAddress(index: number, result: JsonObject, references: readonly string[]): void {
    this.#recordIncomplete("without-address");
    this.#onlyCited.delete(index);
    this.#refer(references, index);
    this.#missing ??= { results: [], toolCalls: [] };
    const reference = references[0] ?? "";
    this.#missing.results.push({ index, reference, blockId: asText(result.blockId) ?? "" });
  }

  /** The number under which a citation mark has named a result that comes only now. */
  #findCited(references: readonly string[]): number | undefined {
    if (this.#onlyCited.size === 0) return undefined;
    return references
      .map((reference) => this.#byReference.get(reference))
      .find((index) => index !== undefined && this.#onlyCited.has(index));
  }

  #refer(references: readonly string[], index: number): void {
    for (const reference of references) {
      if (this.#byReference.has(reference) || this.#byReference.size >= limits.sourceReferences) continue;
      this.#byReference.set(reference, index);
    }
  }

  #isFull(): boolean {
    if (this.#count < limits.sources) return false;
    this.#drift.record("source", "too-many");
    return true;
  }
}

/** A tool's contents have other items, too, such as texts and pictures (kimi-web.md §2.5). */
function isSearchResult(item: JsonObject): boolean {
  return item.refIndex !== undefined || item.base !== undefined || item.title !== undefined;
}

function toSource(index: number, url: string, base: JsonObject): Source {
  const snippet = asText(base.snippet);
  const site = asText(base.siteName);
  const published = asText(base.publishTime);
  return {
    index,
    url,
    title: asText(base.title) ?? url,
    ...(snippet ? { snippet } : {}),
    ...(site ? { site } : {}),
    ...(published ? { published } : {}),
  };
}
