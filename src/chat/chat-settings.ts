import type { CitationMode } from "../core/types.js";
import type { LinkFetcher } from "../files/link-fetcher.js";
import type { ModelNameTables } from "./model-names.js";
import type { SideRequestMatcher } from "./side-requests.js";
import type { ToolTransformOptions } from "./tools/tool-transform.js";
import type { TurnSettings } from "./turn.js";

/** The settings of chats. A reload replaces all of them at once; an answer keeps those that it began with. */
export type ChatSettings = ModelNameTables &
  TurnSettings & {
    citations: CitationMode;
    sideRequests: SideRequestMatcher;
    tools: ToolTransformOptions;
    linkFetcher: LinkFetcher;
    /** Whether the journal gets prompts and answers. */
    recordsTexts: boolean;
  };
