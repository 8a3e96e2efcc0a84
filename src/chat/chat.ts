import { limits } from "../config/limits.js";
import { Deadline } from "../deadline.js";
import type { FileShelf } from "../files/shelf.js";
import { ChatError } from "./errors.js";
import { aliases, mayUse, offersTo, type Route, type Routes, route, suffixes } from "./route.js";
import { Turn, type TurnParts } from "./turn.js";
import type {
  AccountStatus,
  Caller,
  ChatEvent,
  ChatRequest,
  CitationMode,
  Model,
  Upstream,
} from "./types.js";
import { UsageMeter } from "./usage.js";

/** A model as `/v1/models` lists it. */
export type ListedModel = Model & { upstream: string; simulated: boolean };

export type ChatParts = TurnParts & {
  files: FileShelf;
  upstreams: readonly Upstream[];
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
   * The answer to a request, in lots that belong together; `start` first, `usage` and `finish` last.
   * Throws ChatError, at any point. Aborting `request.signal` or leaving the iteration stops the upstream.
   */
  async *answer(request: ChatRequest): AsyncGenerator<readonly ChatEvent[]> {
    request.signal.throwIfAborted();
    const found = await route(request, this.#parts.upstreams, this.#parts.routes);
    const meter = new UsageMeter(request.messages);
    yield [start(request, found, this.#parts.citations)];
    const deadline = new Deadline(request.signal, limits.answer);
    try {
      const turn = new Turn(this.#parts, request, found, meter);
      for await (const events of turn.run(deadline.signal)) {
        const last = events.at(-1);
        if (last?.type !== "finish") {
          yield events;
          continue;
        }
        yield [...events.slice(0, -1), { type: "usage", usage: meter.total() }, last];
        return;
      }
    } finally {
      deadline.clear();
    }
    throw new ChatError("upstream_cut", "The answer ended without its end.");
  }

  /** Every name that this caller may use as a model, the aliases and their variants first. */
  async models(caller: Pick<Caller, "models" | "upstreams">, signal: AbortSignal): Promise<ListedModel[]> {
    const { upstreams, routes } = this.#parts;
    const listed = new Map<string, ListedModel>();
    const offers = await offersTo(caller, upstreams, signal);
    for (const offer of offers) {
      const models = offer.models.map((model) => listedModel(model, offer.upstream));
      const preferred = models.find((model) => model.isDefault);
      const named = preferred ? variants(preferred) : [];
      for (const model of [...named, ...models]) if (!listed.has(model.id)) listed.set(model.id, model);
    }
    return [...listed.values()].filter(({ id }) => mayUse(caller, id, offers, routes));
  }

  /** The state of each upstream's account, by the upstream's name. */
  status(): { upstream: string; simulated: boolean; status: AccountStatus }[] {
    return this.#parts.upstreams.map((upstream) => ({
      upstream: upstream.name,
      simulated: upstream.simulated,
      status: upstream.status(),
    }));
  }

  async close(): Promise<void> {
    for (const queue of this.#parts.queues.values()) queue.close();
    await this.#parts.cleanup.stop();
    await Promise.all(this.#parts.upstreams.map((upstream) => upstream.close()));
  }
}

function start(request: ChatRequest, { upstream, citations }: Route, byDefault: CitationMode): ChatEvent {
  return {
    type: "start",
    upstream: upstream.name,
    model: upstream.simulated ? `${request.model} (simulator)` : request.model,
    simulated: upstream.simulated,
    citations: citations ?? request.caller.citations ?? byDefault,
    ignored: request.asked
      .filter(({ feature }) => !upstream.features.has(feature))
      .map(({ parameter }) => parameter),
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
