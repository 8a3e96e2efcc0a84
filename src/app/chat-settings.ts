import type { ChatSettings } from "../chat/chat-settings.js";
import { SideRequestMatcher } from "../chat/side-requests.js";
import type { Config } from "../config/schema.js";
import { LinkFetcher } from "../files/link-fetcher.js";
import { SsrfGuard } from "../files/ssrf-guard.js";
import type { Metrics } from "../observability/metrics.js";

/** What chats need of the configuration. */
export function createChatSettings(config: Config, metrics: Metrics): ChatSettings {
  const { routes, modelAliases, chats, citations, tools } = config;
  const { maxBytes, allowPrivateLinks, promptLinks, linkSeconds } = config.files;
  const linkFetcher = new LinkFetcher(new SsrfGuard({ allowPrivate: allowPrivateLinks }), {
    fetchLimits: { file: maxBytes, total: linkSeconds * 1_000 },
    chooseProxy: config.proxies.chooseFor(),
  });
  return {
    routes,
    modelAliases,
    chats,
    allowWindows: chats.windows === "continue",
    citations,
    sideRequests: new SideRequestMatcher(config.sideRequestPatterns),
    tools: { ...tools, observer: metrics.toolObserver },
    linkFetcher,
    recordsTexts: config.journal.texts,
    linkInspector: promptLinks === "documents" ? linkFetcher : undefined,
  };
}
