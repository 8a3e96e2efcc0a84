import { limits } from "../../core/limits.js";
import type { ChatEvent, Source } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";

/** The pages that a search of one answer found, numbered as they appear (kimi-web.md §2.6). */
export class Sources {
  readonly #byReference = new Map<string, number>();
  /** The addresses in the order in which they appeared. */
  readonly #urls: string[] = [];

  /** Reads `searchChunks`, or the `searchResult`s of a tool's contents; emits each page once. */
  read(items: unknown, out: ChatEvent[]): void {
    for (const item of objectsIn(items)) this.#add(asObject(item.searchResult) ?? item, out);
  }

  /** The number of the page that a citation mark means, by its `refIndex` or by its id. */
  find(reference: string): number | undefined {
    return this.#byReference.get(reference);
  }

  #add(result: JsonObject, out: ChatEvent[]): void {
    const base = asObject(result.base) ?? result;
    const url = asText(base.url);
    if (!url) return;
    let index = this.#urls.indexOf(url) + 1;
    if (index === 0) {
      if (this.#urls.length >= limits.sources) return;
      index = this.#urls.push(url);
      out.push({ type: "source", source: sourceOf(index, url, base) });
    }
    for (const reference of [asText(result.refIndex), asText(result.id)]) {
      if (reference && !this.#byReference.has(reference)) this.#byReference.set(reference, index);
    }
  }
}

function sourceOf(index: number, url: string, base: JsonObject): Source {
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
