import type { ChatEvent, ChatRequest, EventSink, UpstreamRequest } from "../core/types.js";
import type { RequestLinks } from "../files/request-links.js";
import type { Route } from "./model-router.js";
import type { SideRequestMatcher } from "./side-requests.js";
import type { UsageMeter } from "./usage-meter.js";

/**
 * One turn with an upstream that stores no conversations: sends the whole history; nothing is stored or cleaned up.
 * Searches only if the request enables it, since such a search costs money.
 */
export class StatelessTurn {
  readonly #request: ChatRequest;
  readonly #route: Route;
  readonly #meter: UsageMeter;
  readonly #links: RequestLinks;
  #upstreamRequest: UpstreamRequest;
  #isPrepared = false;

  constructor(
    sideRequests: SideRequestMatcher,
    request: ChatRequest,
    route: Route,
    { meter, links }: { meter: UsageMeter; links: RequestLinks },
  ) {
    this.#request = request;
    this.#route = route;
    this.#meter = meter;
    this.#links = links;
    const { model, search, thinking } = route;
    this.#upstreamRequest = {
      ...request,
      model,
      search: search === true,
      thinking: sideRequests.isSideRequest(request, route) ? model.thinking[0] : thinking,
    };
  }

  /** There are no stored conversations. */
  async isKnown(): Promise<boolean> {
    return false;
  }

  /** There is no conversation to wait for. */
  async waitUntilFree(_signal: AbortSignal): Promise<void> {}

  /** Lets the upstream fetch what it needs; see `Upstream.prepare`. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { upstream } = this.#route;
    if (this.#isPrepared || !upstream.prepare) return;
    const fetchPicture = (url: string, fetchSignal: AbortSignal) =>
      this.#links.fetchPicture(url, fetchSignal);
    this.#upstreamRequest = await upstream.prepare(this.#upstreamRequest, fetchPicture, signal);
    this.#isPrepared = true;
  }

  async run(sink: EventSink): Promise<void> {
    const meteredSink: EventSink = (events) => {
      if (this.#request.includeUsage) for (const event of events) this.#meter.record(event);
      return sink(events.some(isUsage) ? events.filter((event) => !isUsage(event)) : events);
    };
    await this.#route.upstream.chat(this.#upstreamRequest, meteredSink, this.#request.signal);
  }
}

/** The upstream's usage events are dropped: `ChatService` emits usage itself, once and last. */
function isUsage({ type }: ChatEvent): boolean {
  return type === "usage";
}
