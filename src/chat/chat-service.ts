import { RequestRecord } from "../core/request-record.js";
import type {
  ChatRequest,
  CitationMode,
  EventSink,
  Principal,
  StartEvent,
  ToolMode,
  Upstream,
} from "../core/types.js";
import type { LocalFileStore } from "../files/local-file-store.js";
import type { LinkFetches } from "../files/request-links.js";
import { hashLong } from "../lib/hash.js";
import type { ActiveUpstream, ActiveUpstreams } from "./active-upstreams.js";
import type { ChatSettings } from "./chat-settings.js";
import { emulatedFeatures, emulatingTransforms, longPromptOptions } from "./emulated-features.js";
import { answerWithFailover, type Candidate } from "./failover.js";
import { AnswerBudget, type KeyBudgets } from "./key-budgets.js";
import type { KeyQueues } from "./key-queues.js";
import { findListedModel, type ListedModel, listModels } from "./model-list.js";
import type { AvailableModels } from "./model-names.js";
import { listAvailableModels, type Route, resolveRoutes } from "./model-router.js";
import { rejectOversized } from "./request-size.js";
import { RequestTexts } from "./request-texts.js";
import { ignoredFeatures, routesWithRequiredFeatures } from "./required-features.js";
import { RetriedAnswers } from "./retried-answers.js";
import { StatelessTurn } from "./stateless-turn.js";
import type { TokenMeter } from "./token-meter.js";
import { AnswerRecorder } from "./transforms/answer-recorder.js";
import { sideRequestTransform } from "./transforms/side-request.js";
import type { TransformFactory } from "./transforms/transform.js";
import { UsageReporter } from "./transforms/usage-reporter.js";
import { Turn, type TurnContext, type TurnDependencies, type TurnSettings } from "./turn.js";

type ModelUser = Pick<Principal, "models" | "upstreams" | "tools">;

export type ChatServiceDependencies = Omit<TurnDependencies, keyof TurnSettings> & {
  files: LocalFileStore;
  upstreams: ActiveUpstreams;
  keyQueues: KeyQueues;
  keyBudgets: KeyBudgets;
  linkFetches: LinkFetches;
  /** Between each turn and its upstream; the first one is nearest to the client. */
  transforms: readonly TransformFactory[];
  /** The settings in force now. */
  settings: () => ChatSettings;
};

/** What all turns of one request share. */
type RequestContext = Pick<TurnContext, "links" | "record"> & {
  active: readonly ActiveUpstream[];
  settings: ChatSettings;
  meter: TokenMeter;
};

/** The same with what belongs to one upstream. */
type CandidateContext = RequestContext &
  Pick<TurnContext, "queue"> & { startEvent: StartEvent; toolMode: ToolMode };

/** Answers chat requests: resolves the routes, then sends the request upstream with failover. */
export class ChatService {
  readonly #dependencies: ChatServiceDependencies;
  readonly #retriedAnswers = new RetriedAnswers((...request) => this.#answer(...request));

  constructor(dependencies: ChatServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** The files that clients have uploaded. */
  get files(): LocalFileStore {
    return this.#dependencies.files;
  }

  /** What a link leads to, asked for this key. Throws `link_forbidden`, `link_unreachable` or `rate_limited`. */
  describeLink(
    { keyName }: Pick<Principal, "keyName">,
    url: string,
    signal: AbortSignal,
  ): Promise<{ mediaType: string }> {
    const { linkFetcher } = this.#dependencies.settings();
    return this.#dependencies.linkFetches.forRequest(keyName, linkFetcher).describe(url, signal);
  }

  /**
   * Emits the answer in batches: `start` first, `usage` if the request includes it, `finish` last. Throws GatewayError,
   * at any point. Aborting `request.signal`, or a sink that throws, cancels the upstream request. `record` notes how it went.
   * A request that comes again with the same `idempotency` gets the answer that is still being made.
   */
  answer(request: ChatRequest, sink: EventSink, record = new RequestRecord()): Promise<void> {
    return this.#retriedAnswers.answer(request, sink, record);
  }

  async #answer(request: ChatRequest, clientSink: EventSink, record: RequestRecord): Promise<void> {
    const { signal } = request;
    const sink = this.#recordTexts(request, clientSink, record);
    const { keyBudgets, keyQueues } = this.#dependencies;
    signal.throwIfAborted();
    rejectOversized(request.messages);
    await this.#dependencies.upstreams.use(async (active) => {
      const { principal } = request;
      // Read together with the upstreams, which the routes name.
      const settings = this.#dependencies.settings();
      const links = this.#dependencies.linkFetches.forRequest(principal.keyName, settings.linkFetcher);
      const budget = new AnswerBudget(keyBudgets, principal);
      record.readUsage = () => budget.meter.usage();
      const context = { active, settings, links, meter: budget.meter, record };
      const candidates = await this.#candidates(request, context);
      await keyBudgets.admit(principal);
      // While the request waits, its status line may have to be sent, with the upstream's name.
      if (principal.concurrency !== undefined) await sink([candidates[0].startEvent]);
      const slot = await record.timeWait(keyQueues.acquire(principal, signal));
      try {
        const prompt = () => hashPrompt(request);
        const context = { sink: budget.events(sink), keyName: principal.keyName, prompt, record, signal };
        await answerWithFailover(candidates, context);
      } finally {
        links.release();
        slot.release();
        await budget.count();
      }
    });
  }

  /** The sink to use: one that notes what is said, if the settings say so. */
  #recordTexts({ messages }: ChatRequest, sink: EventSink, record: RequestRecord): EventSink {
    if (!this.#dependencies.settings().recordsTexts) return sink;
    const texts = new RequestTexts(messages);
    record.readTexts = () => texts.texts;
    return texts.events(sink);
  }

  /**
   * The models that this principal may use, by every name that `/v1/models` lists. Omits upstreams that fail; throws the
   * GatewayError of one of them if no model is left.
   */
  async models(principal: ModelUser, signal: AbortSignal): Promise<ListedModel[]> {
    const settings = this.#dependencies.settings();
    const available = await this.#availableModels(principal, signal);
    const models = listModels(principal, available, settings);
    const failure = available.find((entry) => entry.failure)?.failure;
    if (models.length === 0 && failure) throw failure;
    return models.map((model) => this.#withEmulatedFeatures(principal, model));
  }

  /** The model of this name, which may be any that a chat request may have. Throws `model_not_found`. */
  async model(principal: ModelUser, name: string, signal: AbortSignal): Promise<ListedModel> {
    const settings = this.#dependencies.settings();
    const available = await this.#availableModels(principal, signal);
    const model = findListedModel(principal, name, available, settings);
    return this.#withEmulatedFeatures(principal, model);
  }

  #withEmulatedFeatures(principal: ModelUser, model: ListedModel): ListedModel {
    const { current } = this.#dependencies.upstreams;
    const active = current.find(({ upstream }) => upstream.name === model.upstream);
    if (!active) return model;
    const emulated = emulatedFeatures(active.upstream, toolModeFor(principal, active));
    return { ...model, features: new Set([...model.features, ...emulated]) };
  }

  #availableModels(principal: ModelUser, signal: AbortSignal): Promise<AvailableModels[]> {
    return this.#dependencies.upstreams.use((active) =>
      listAvailableModels(
        principal,
        active.map(({ upstream }) => upstream),
        signal,
      ),
    );
  }

  /**
   * The upstreams to try, in order: the one that has the conversation, then the order of `routes`; those with an open
   * circuit breaker last.
   */
  async #candidates(request: ChatRequest, context: RequestContext): Promise<[Candidate, ...Candidate[]]> {
    const upstreams = context.active.map(({ upstream }) => upstream);
    const routes = await resolveRoutes(request, upstreams, context.settings);
    const [first, ...others] = routesWithRequiredFeatures(request, routes, (upstream) =>
      toolModeFor(request.principal, findActive(context.active, upstream)),
    );
    if (others.length === 0) return [this.#candidate(request, first, context)];
    const ranked = await Promise.all(
      [first, ...others].map(async (route) => {
        const candidate = this.#candidate(request, route, context);
        const isKnown = await candidate.isKnown();
        return { candidate, rank: (candidate.circuitBreaker.allowsRequests() ? 0 : 2) + (isKnown ? 0 : 1) };
      }),
    );
    const [best, ...rest] = ranked.toSorted((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
    return [best ?? this.#candidate(request, first, context), ...rest];
  }

  #candidate(request: ChatRequest, route: Route, context: RequestContext): Candidate {
    const { active, settings } = context;
    const activeUpstream = findActive(active, route.upstream);
    const { guards } = activeUpstream;
    const toolMode = toolModeFor(request.principal, activeUpstream);
    const startEvent = createStartEvent(request, route, { citations: settings.citations, toolMode });
    const { queue } = guards;
    const turn = this.#createTurn(request, route, { ...context, queue, startEvent, toolMode });
    return {
      ...guards,
      route,
      startEvent,
      isKnown: () => turn.isKnown(),
      waitUntilFree: (signal) => turn.waitUntilFree(signal),
      prepare: (signal) => turn.prepare(signal),
      send: (sink) => turn.run(sink),
    };
  }

  #createTurn(
    request: ChatRequest,
    route: Route,
    { settings, links, meter, record, queue, startEvent, toolMode }: CandidateContext,
  ): Turn | StatelessTurn {
    const { transforms } = this.#dependencies;
    const { sideRequests, tools } = settings;
    const isSideRequest = sideRequests.isSideRequest(request, route);
    const recorder = new AnswerRecorder(startEvent.citations);
    const context: TurnContext = {
      links,
      record,
      queue,
      isSideRequest,
      recorder,
      usageReporter: new UsageReporter(request, recorder, meter),
      transforms: [
        ...transforms.flatMap((create) => create({ request, route }) ?? []),
        ...(isSideRequest ? [sideRequestTransform] : []),
        ...emulatingTransforms(request, route.upstream, { toolMode, tools }),
      ],
      longPrompts: longPromptOptions(request, route.upstream, { toolMode, tools }),
    };
    return route.upstream.chatStructure === "none"
      ? new StatelessTurn(request, route, context)
      : new Turn({ ...this.#dependencies, ...settings }, request, route, context);
  }

  /** Rejects waiting requests, stops the clean-up of chats and closes the upstreams. */
  async close(): Promise<void> {
    const { upstreams, cleanup } = this.#dependencies;
    upstreams.closeQueues();
    await cleanup.stop();
    await upstreams.close();
  }
}

function findActive(active: readonly ActiveUpstream[], upstream: Upstream): ActiveUpstream {
  const found = active.find((each) => each.upstream === upstream);
  if (!found) throw new Error("a route to an upstream that is not active");
  return found;
}

/** What the key says; where it says nothing, what the upstream's settings say. */
function toolModeFor({ tools }: Pick<Principal, "tools">, { toolMode }: ActiveUpstream): ToolMode {
  return tools ?? toolMode;
}

/** A hash of the newest message's text: the same for a request that is sent again, whoever sends it. */
function hashPrompt({ messages }: ChatRequest): Promise<string> {
  const parts = messages.at(-1)?.content ?? [];
  return hashLong(...parts.map((part) => (part.type === "text" ? part.text : part.type)));
}

function createStartEvent(
  request: ChatRequest,
  route: Route,
  { citations: defaultCitations, toolMode }: { citations: CitationMode; toolMode: ToolMode },
): StartEvent {
  const { upstream, modelName } = route;
  const citations = route.citations ?? request.principal.citations ?? defaultCitations;
  return {
    type: "start",
    upstream: upstream.name,
    model: upstream.simulated ? `${modelName} (simulator)` : modelName,
    simulated: upstream.simulated,
    // Markers and lists of sources are no JSON.
    citations: request.responseFormat && citations !== "off" ? "annotations" : citations,
    ignored: [...new Set(ignoredFeatures(request, route, toolMode).map(({ parameter }) => parameter))],
  };
}
