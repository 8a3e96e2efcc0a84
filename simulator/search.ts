import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { Source, SourcePlace } from "./steps.js";

/** A search result in the form of the stream; `refIndex` is what citation marks refer to (kimi-web.md §2.6). */
export type SearchChunk = { id: string; base: JsonObject; refIndex: string };

/** A search result as the stream has it: without its content where GetSearchCitation returns that (kimi-web.md §6 row 16). */
export type StreamedChunk = Omit<SearchChunk, "base"> & Partial<SearchChunk>;

type SearchFrame = { op: "set" | "append"; mask: string | undefined; block: JsonObject };

/** The results of the search with this index, from 0, in one answer. */
export function createSearchChunks(sources: readonly Source[], searchIndex: number): SearchChunk[] {
  return sources.map(({ title, url, snippet, publishTime }, index) => {
    const { origin, hostname } = new URL(url);
    const base = {
      title,
      url,
      siteName: hostname,
      iconUrl: `${origin}/favicon.ico`,
      snippet,
      ...(publishTime ? { publishTime } : {}),
    };
    return { id: String(index + 1), base, refIndex: `web_search:${searchIndex + 1}#${index}` };
  });
}

/** True if the text has the citation mark of this result, either closed or followed by another mark (kimi-web.md §2.6). */
export function isCited({ refIndex }: StreamedChunk, text: string): boolean {
  return text.includes(`${refIndex}\ue3a8`) || text.includes(`${refIndex}\ue3a3`);
}

/** One search of an answer. `id` is that of its block, `searchIndex` counts the searches of the answer from 0. */
type Search = {
  id: string;
  searchIndex: number;
  queries: readonly string[];
  chunks: readonly SearchChunk[];
  sourcesIn: SourcePlace;
};

/** The results of a search that the stream has, with or without their contents. */
export function streamedChunks({ chunks, sourcesIn }: Search): readonly StreamedChunk[] {
  switch (sourcesIn) {
    case "stream":
      return chunks;
    case "citations":
      return chunks.map(({ id, refIndex }) => ({ id, refIndex }));
    case "tool-block":
      return [];
  }
}

/** The events of a search as a tool call: pending, arguments, running, done (kimi-web.md §5.3). */
export function searchFrames(search: Search, messageId: string): SearchFrame[] {
  const { id, searchIndex } = search;
  const { toolCallId, name, args } = searchTool(search);
  const splitAt = '{"queries":'.length;
  const pending = { toolCallId: `web_search_${searchIndex}`, name, status: "STATUS_PENDING" };
  const appendArgs = (fragment: string): SearchFrame => ({
    op: "append",
    mask: "block.tool.args",
    block: { id, tool: { args: fragment } },
  });
  const done: SearchFrame =
    search.sourcesIn === "tool-block"
      ? {
          op: "set",
          mask: "block.tool.loadType,block.tool.contentCount,block.tool.status",
          block: { id, tool: { ...externalContents(search.chunks.length), status: "STATUS_DONE" } },
        }
      : {
          op: "set",
          mask: "block.tool.contents,block.tool.status",
          block: { id, tool: { contents: toContents(streamedChunks(search)), status: "STATUS_DONE" } },
        };
  return [
    {
      op: "set",
      mask: undefined,
      block: { id, parentId: "", messageId, tool: pending, createTime: blockTime() },
    },
    appendArgs(args.slice(0, splitAt)),
    appendArgs(args.slice(splitAt)),
    {
      op: "set",
      mask: "block.tool.args,block.tool.status,block.tool.toolCallId",
      block: { id, tool: { toolCallId, args, status: "STATUS_RUNNING" } },
    },
    done,
  ];
}

/** The block of a search with its results, as it is after the last of its events. */
export function finishedSearchBlock(search: Search): JsonObject {
  return { id: search.id, parentId: "", tool: { ...searchTool(search), status: "STATUS_DONE" } };
}

/** The fields of a tool block that say how many contents it has elsewhere, instead of having them (kimi-web.md §6 row 16). */
export function externalContents(count: number): JsonObject {
  return { loadType: "LOAD_TYPE_EXTERNAL", contentCount: String(count) };
}

function searchTool({ searchIndex, queries, chunks }: Search) {
  return {
    toolCallId: `web_search:${searchIndex + 1}`,
    name: "web_search",
    args: JSON.stringify({ queries }),
    contents: toContents(chunks),
  };
}

function toContents(chunks: readonly StreamedChunk[]): JsonObject[] {
  return chunks.map((searchResult) => ({ searchResult }));
}
