import { limits } from "../../core/limits.js";
import type { ChatEvent, Source } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";

/** The search results of one answer, numbered from 1 in order of appearance (kimi-web.md §2.6). */
export class SearchSources {
  readonly #byReference = new Map<string, number>();
  /** The number of each URL. */
  readonly #byUrl = new Map<string, number>();

  /** Adds `searchChunks`, or the `searchResult`s of a tool's contents. Emits a `source` event for each new URL. */
  addResults(items: unknown, out: ChatEvent[]): void {
    for (const item of objectsIn(items)) this.#addResult(asObject(item.searchResult) ?? item, out);
  }

  /** The number of the source that a citation mark refers to, by its `refIndex` or its id. */
  findIndex(reference: string): number | undefined {
    return this.#byReference.get(reference);
  }

  #addResult(result: JsonObject, out: ChatEvent[]): void {
    const base = asObject(result.base) ?? result;
    const url = asText(base.url);
    if (!url) return;
    let index = this.#byUrl.get(url);
    if (index === undefined) {
      if (this.#byUrl.size >= limits.sources) return;
      index = this.#byUrl.size + 1;
      this.#byUrl.set(url, index);
      out.push({ type: "source", source: toSource(index, url, base) });
    }
    for (const reference of [asText(result.refIndex), asText(result.id)]) {
      if (!reference || this.#byReference.has(reference)) continue;
      if (this.#byReference.size < limits.sourceReferences) this.#byReference.set(reference, index);
    }
  }
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
