import { type AccountReport, reportOf } from "../admin/account-report.js";
import type {
  ChatEvent,
  ChatRequest,
  CitationMode,
  EventSink,
  Model,
  Principal,
  Quota,
  Upstream,
} from "../core/types.js";
import type { FileShelf } from "../files/local-file-store.js";
import { type Candidate, firstToAnswer, type Gates } from "./failover.js";
import { aliases, mayUse, offersTo, type Route, type Routes, route, suffixes } from "./model-router.js";
import { statelessTurn } from "./stateless-turn.js";
import { Thread } from "./thread.js";
import { Turn, type TurnParts } from "./turn.js";
import { UsageMeter } from "./usage.js";

/** A model as `/v1/models` lists it. */
export type ListedModel = Model & { upstream: string; simulated: boolean };

export type ChatParts = TurnParts & {
  files: FileShelf;
  upstreams: readonly Upstream[];
  /** Of each upstream, by its name. */
  gates: ReadonlyMap<string, Gates>;
  routes: Routes;
  citations: CitationMode;
};

/** The one way through the house: a request in, the events of its answer out. */
export class Chat {
  readonly #parts: ChatParts;

  constructor(parts: ChatParts) {
    this.#parts = parts;
  }

  /** The files that clients keep here. */
  get files(): FileShelf {
    return this.#parts.files;
  }

  /**
   * Tells the answer to a request, in lots that belong together; `start` first, `usage` where it is read, and `finish`
   * last. Throws GatewayError, at any point. Aborting `request.signal`, or throwing in `tell`, stops the upstream.
   */
  async answer(request: ChatRequest, tell: EventSink): Promise<void> {
    const { signal } = request;
    signal.throwIfAborted();
    const candidates = await this.#candidates(request);
    const meter = new UsageMeter(request.messages);
    const withUsage: EventSink = (events) => {
      const last = events.at(-1);
      if (last?.type !== "finish") return tell(events);
      return meter.total().then((usage) => tell([...events.slice(0, -1), { type: "usage", usage }, last]));
    };
    const hear = request.includeUsage ? withUsage : tell;
    const ask = (found: Route, told: EventSink) => this.#ask(request, found, meter, told);
    await firstToAnswer(candidates, ask, { tell: hear, key: request.principal.keyName, signal });
  }

  /**
   * Every name that this caller may use as a model, the aliases and their variants first. An upstream that cannot say
   * is left out; throws GatewayError where none can.
   */
  async models(caller: Pick<Principal, "models" | "upstreams">, signal: AbortSignal): Promise<ListedModel[]> {
    const { upstreams, routes } = this.#parts;
    const listed = new Map<string, ListedModel>();
    const offers = await offersTo(caller, upstreams, signal);
    for (const { upstream, models: offered } of offers) {
      const models = offered.map((model) => listedModel(model, upstream));
      const preferred = models.find((model) => model.isDefault);
      const named = preferred ? variants(preferred) : [];
      for (const model of [...named, ...models]) if (!listed.has(model.id)) listed.set(model.id, model);
    }
    const failure = offers.find((offer) => offer.failure)?.failure;
    if (listed.size === 0 && failure) throw failure;
    return [...listed.values()].filter(({ id }) => mayUse(caller, id, offers, routes));
  }

  /** The state of each upstream's account; asks nobody. */
  status(): AccountReport[] {
    return this.#parts.upstreams.map((upstream) => reportOf(upstream, this.#gates(upstream)));
  }

  /** What an upstream's account has used of its allowances; undefined where there are none. Throws GatewayError. */
  async quota(upstream: string, signal: AbortSignal): Promise<Quota[] | undefined> {
    return this.#parts.upstreams.find(({ name }) => name === upstream)?.quota?.(signal);
  }

  /** Who may answer, in the order to ask them: whoever has the conversation, then as `routes` says, failing ones last. */
  async #candidates(request: ChatRequest): Promise<[Candidate, ...Candidate[]]> {
    const [first, ...others] = await route(request, this.#parts.upstreams, this.#parts.routes);
    if (others.length === 0) return [this.#candidate(request, first)];
    const ranked = await Promise.all(
      [first, ...others].map(async (found) => {
        const candidate = this.#candidate(request, found);
        const isKnown = await new Thread(this.#parts.store, request, found).isKnown();
        return { candidate, rank: (candidate.breaker.admits() ? 0 : 2) + (isKnown ? 0 : 1) };
      }),
    );
    const [best, ...rest] = ranked.toSorted((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
    return [best ?? this.#candidate(request, first), ...rest];
  }

  #candidate(request: ChatRequest, found: Route): Candidate {
    const gates = this.#gates(found.upstream);
    return { ...gates, route: found, start: start(request, found, this.#parts.citations) };
  }

  #gates({ name }: Upstream): Gates {
    const gates = this.#parts.gates.get(name);
    if (!gates) throw new Error("an upstream without gates");
    return gates;
  }

  #ask(request: ChatRequest, found: Route, meter: UsageMeter, tell: EventSink): Promise<void> {
    return found.upstream.chatStructure === "none"
      ? statelessTurn(this.#parts.chores, request, found, { meter, tell })
      : new Turn(this.#parts, request, found, meter).run(tell);
  }

  async close(): Promise<void> {
    for (const { queue } of this.#parts.gates.values()) queue.close();
    await this.#parts.cleanup.stop();
    await Promise.all(this.#parts.upstreams.map((upstream) => upstream.close()));
  }
}

function start(
  request: ChatRequest,
  { upstream, model, citations }: Route,
  byDefault: CitationMode,
): ChatEvent {
  const unheard = request.requestedFeatures
    .filter(({ feature }) => !upstream.features.has(feature))
    .map(({ parameter }) => parameter);
  return {
    type: "start",
    upstream: upstream.name,
    model: upstream.simulated ? `${request.model} (simulator)` : request.model,
    simulated: upstream.simulated,
    citations: citations ?? request.principal.citations ?? byDefault,
    ignored: [...new Set([...unheard, ...(upstream.ignoredParameters?.(request, model) ?? [])])],
  };
}

function listedModel(model: Model, upstream: Upstream): ListedModel {
  return { ...model, upstream: upstream.name, simulated: upstream.simulated };
}

function variants(model: ListedModel): ListedModel[] {
  return aliases.flatMap((alias) => [
    { ...model, id: alias },
    ...suffixes
      .filter((suffix) => suffix !== "vision")
      .map((suffix) => ({ ...model, id: `${alias}-${suffix}` })),
  ]);
}
