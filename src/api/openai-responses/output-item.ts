import type { ChatEvent } from "../../core/types.js";

export type UrlCitation = {
  type: "url_citation";
  url: string;
  title: string;
  /** UTF-16 code units of the part's text; the end is exclusive. */
  start_index: number;
  end_index: number;
};
type OutputText = { type: "output_text"; text: string; annotations: UrlCitation[]; logprobs: never[] };
type ItemStatus = "in_progress" | "completed" | "incomplete";
export type SearchAction = {
  type: "search";
  query: string;
  queries: readonly string[];
  sources?: { type: "url"; url: string }[];
};

/** An item of an answer as clients read it. */
export type OutputItem =
  | { type: "message"; id: string; status: ItemStatus; role: "assistant"; content: OutputText[] }
  | {
      type: "reasoning";
      id: string;
      summary: { type: "summary_text"; text: string }[];
      encrypted_content?: string;
    }
  | {
      type: "function_call";
      id: string;
      status: ItemStatus;
      call_id: string;
      name: string;
      namespace?: string;
      arguments: string;
    }
  | {
      type: "custom_tool_call";
      id: string;
      status: ItemStatus;
      call_id: string;
      name: string;
      namespace?: string;
      input: string;
    }
  | { type: "web_search_call"; id: string; status: ItemStatus; action: SearchAction }
  | { type: "compaction"; id: string; encrypted_content: string };

/** An event of the stream without its number. */
export type ItemEvent = { type: `response.${string}` } & Record<string, unknown>;

/** Makes the items of one answer from its events. */
export interface ItemSource {
  /** The finished items. */
  readonly items: readonly OutputItem[];
  onEvent(event: ChatEvent): ItemEvent[];
}

export function outputText(text: string, annotations: UrlCitation[]): OutputText {
  return { type: "output_text", text, annotations, logprobs: [] };
}

export function searchAction(queries: readonly string[]): SearchAction {
  return { type: "search", query: queries[0] ?? "", queries };
}
