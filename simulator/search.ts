import { blockTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { Source } from "./steps.js";

/** A source as the stream shows it (kimi-web.md §2.6). */
export type SourceChunk = { id: string; base: JsonObject; refIndex: string };

type Frame = { op: "set" | "append"; mask: string | undefined; block: JsonObject };

export function searchChunks(sources: readonly Source[], call: number): SourceChunk[] {
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
    return { id: String(index + 1), base, refIndex: `web_search:${call + 1}#${index}` };
  });
}

/** Whether a text has the source's mark: closed, or followed by another's (kimi-web.md §2.6). */
export function isCited({ refIndex }: SourceChunk, text: string): boolean {
  return text.includes(`${refIndex}\ue3a8`) || text.includes(`${refIndex}\ue3a3`);
}

/** The life of a search as a tool call: pending, arguments, running, done (kimi-web.md §5.3). */
export function searchFrames(
  id: string,
  messageId: string,
  call: number,
  queries: readonly string[],
  chunks: readonly SourceChunk[],
): Frame[] {
  const args = JSON.stringify({ queries });
  const cut = '{"queries":'.length;
  const pending = { toolCallId: `web_search_${call}`, name: "web_search", status: "STATUS_PENDING" };
  const running = { toolCallId: `web_search:${call + 1}`, args, status: "STATUS_RUNNING" };
  const contents = chunks.map((searchResult) => ({ searchResult }));
  const part = (fragment: string): Frame => ({
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
    part(args.slice(0, cut)),
    part(args.slice(cut)),
    {
      op: "set",
      mask: "block.tool.args,block.tool.status,block.tool.toolCallId",
      block: { id, tool: running },
    },
    {
      op: "set",
      mask: "block.tool.contents,block.tool.status",
      block: { id, tool: { contents, status: "STATUS_DONE" } },
    },
  ];
}
