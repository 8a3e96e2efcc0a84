import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { Source } from "./steps.js";

/** A search result in the form of the stream; `refIndex` is what citation marks refer to (kimi-web.md §2.6). */
export type SearchChunk = { id: string; base: JsonObject; refIndex: string };

/** The results of one search, which GetToolBlock and GetSearchCitation return (kimi-web.md §6 #16). */
export type StoredSearch = { toolCallId: string; chunks: readonly SearchChunk[] };

/** The id that the call of the search with this index, from 0, has once it runs. */
export function searchCallId(searchIndex: number): string {
  return `web_search:${searchIndex + 1}`;
}

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
export function isCited({ refIndex }: Pick<SearchChunk, "refIndex">, text: string): boolean {
  return text.includes(`${refIndex}\ue3a8`) || text.includes(`${refIndex}\ue3a3`);
}

/** The events of a search as a tool call with the block id `id`: pending, arguments, running, done (kimi-web.md §5.3). */
export function searchFrames(
  id: string,
  messageId: string,
  searchIndex: number,
  queries: readonly string[],
  result: JsonObject,
): SearchFrame[] {
  const args = JSON.stringify({ queries });
  const splitAt = '{"queries":'.length;
  const pending = { toolCallId: `web_search_${searchIndex}`, name: "web_search", status: "STATUS_PENDING" };
  const running = { toolCallId: searchCallId(searchIndex), args, status: "STATUS_RUNNING" };
  const appendArgs = (fragment: string): SearchFrame => ({
    op: "append",
    mask: "block.tool.args",
    block: { id, tool: { args: fragment } },
  });
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
      block: { id, tool: running },
    },
    {
      op: "set",
      mask: "block.tool.contents,block.tool.status",
      block: { id, tool: { ...result, status: "STATUS_DONE" } },
    },
  ];
}
