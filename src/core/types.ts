/**
 * The shared vocabulary: requests, events, models and the contract of an upstream. Read this file first; errors are in
 * `errors.ts`.
 */
import type { JsonObject } from "../lib/json.js";
import type { Capabilities } from "./capabilities.js";

/** A part of a message: a text, an image or a file. */
export type Part = TextPart | MediaPart;
type TextPart = { type: "text"; text: string };
/** An image or a file. */
export type MediaPart = {
  type: "image" | "file";
  source: MediaSource;
  name?: string;
  mediaType?: string;
  /** The part's path in the request, for error messages: `messages[0].content[1]`. */
  path: string;
};
/** Where the bytes are: behind a URL, in the request itself, or in an earlier upload. */
export type MediaSource =
  | { kind: "link"; url: string }
  | { kind: "bytes"; base64: string }
  | { kind: "file-id"; id: string };

/** One message of the history as the client sent it. */
export type Message =
  | { role: "system"; content: Part[] }
  | { role: "user"; content: Part[]; name?: string }
  | { role: "assistant"; content: Part[]; reasoning?: string; toolCalls?: ToolCall[] }
  | { role: "tool"; content: Part[]; toolCallId: string; name?: string };

/** An answer as one value, wherever it is hashed or stored. */
export type Answer = { text: string; reasoning: string; toolCalls: ToolCall[] };

/** A call of a tool by the model; `arguments` is a JSON text. */
export type ToolCall = { id: string; name: string; arguments: string };

/** A function that the model may call; `parameters` is a JSON Schema. */
export type Tool = { name: string; description?: string; parameters: JsonObject; strict?: boolean };
export type ToolChoice = "auto" | "none" | "required" | { name: string };

/**
 * What the answer's text must be: a JSON object or array, or JSON of this schema. Undefined in a request: any text. `path`:
 * where the schema is in the request, for error messages. `strict: false`: keys that the schema excludes are allowed.
 */
export type ResponseFormat =
  | { type: "json" }
  | { type: "json-schema"; name: string; schema: JsonObject; strict?: boolean; path?: string };

/** Bounds of an answer: texts in front of which it ends, and its tokens, those of the reasoning included. */
export type AnswerLimits = { maxTokens?: number; stop?: string[] };

/**
 * The parsed body of the client's request, for an upstream with the same API dialect. `engineOptions`: the names of its
 * parameters that need the feature `engine-options`, with values that repeat the default too.
 */
type OriginalRequest = { dialect: "openai-chat"; body: JsonObject; engineOptions: readonly string[] };

/** Thinking effort, weakest first. */
export type Thinking = "off" | "low" | "high" | "max";

/** A capability that a request may need and that not every upstream has. */
export type Feature =
  | "thinking"
  | "search"
  | "sampling"
  | "max-tokens"
  | "stop"
  | "tools"
  /** Needed by tools that are no functions, such as those that only a service can run. */
  | "service-tools"
  | "output-format"
  | "logprobs"
  | "conversation"
  /** Needed by parameters of inference engines and hubs, such as `mirostat`, `guided_json` and `provider`. */
  | "engine-options"
  /** Needed by parameters that do not change the answer, such as `user`, `metadata` and `store`. */
  | "service-settings"
  /** Needed by parameters that Moonbridge does not know and passes on. */
  | "unknown"
  /** Needed by parameters that only the client's own software understands: no upstream has it. */
  | "nothing";

/**
 * A parameter that needs a feature. `parameter` is its name as the client wrote it (`num_predict`), `name` the one among
 * OpenAI's (`max_tokens`). `isRequired`: an answer without the feature would not be what the client asked for, so the
 * request is refused where nothing honours it; otherwise the parameter is reported as ignored.
 */
export type RequestedFeature = {
  parameter: string;
  name: string;
  value: unknown;
  feature: Feature;
  isRequired?: true;
};

/**
 * How upstream chats are used: `native` continues them, `merged` opens one per answer with the whole transcript,
 * `ephemeral` does the same and deletes it at once.
 */
export const chatModes = ["native", "merged", "ephemeral"] as const;
export type ChatMode = (typeof chatModes)[number];

/**
 * Whether functions are offered to models whose service has none: `emulate` writes them into the prompt and reads calls from
 * the answer, `off` refuses forced calls and names the rest as ignored.
 */
export const toolModes = ["emulate", "off"] as const;
export type ToolMode = (typeof toolModes)[number];

/** How search sources are shown; see `chat/citations.ts`. */
export const citationModes = ["inline", "footer", "annotations", "off"] as const;
export type CitationMode = (typeof citationModes)[number];

/** Scopes of an API key: `chat` (completions, models, files) and `admin` (accounts, metrics). */
export const scopes = ["chat", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** The authenticated API key: its name, scopes and settings; never the secret. */
export type Principal = {
  keyName: string;
  scopes: readonly Scope[];
  /** The models it may use, each with any suffix; undefined, or a list that contains "*", means all. */
  models?: readonly string[];
  /** The upstreams it may use; undefined means all. */
  upstreams?: readonly string[];
  chats?: ChatMode;
  citations?: CitationMode;
  tools?: ToolMode;
  /** Whether the failure of a stream is also written as text. */
  visibleErrors?: boolean;
  /** Chat requests that are answered at the same time; further ones wait. Undefined: any number. */
  concurrency?: number;
  /** Chat requests, and tokens of their usage, per calendar day of the server. Undefined: any number. */
  requestsPerDay?: number;
  tokensPerDay?: number;
};

/**
 * Which usage events the client receives. `none`: tokens are not counted. `early and final`: an estimate of the input before
 * the first content as well, for dialects that begin with it.
 */
type UsageReporting = "none" | "final" | "early and final";

/** The trace that a request belongs to (W3C Trace Context): its id, and the headers for the next service. */
export type TraceContext = { traceId: string; traceparent: string; tracestate?: string };

/** A chat request, independent of the client's dialect. */
export type ChatRequest = {
  /** As the client named it; `chat/model-router.ts` resolves it. */
  model: string;
  messages: Message[];
  /** Undefined means the model's default. */
  search?: boolean;
  /** Undefined means the model's default. */
  thinking?: Thinking;
  /** The conversation id of an earlier answer. Without it the conversation is found by its history. */
  conversation?: string;
  /**
   * The id of the answer in the client's dialect. It also names a new conversation, since clients of kimi-free-api send the
   * first answer's id back as `conversation_id` (clients.md §5).
   */
  responseId?: string;
  /** The same for a request that is sent again; undefined if the client does not ask for that to be noticed. */
  idempotency?: string;
  /** The client's own id of the session or chat, if it sends one (`x-session-affinity` and others); it never names a conversation. */
  affinity?: string;
  /** Undefined means the setting of the model's suffix, the key or the configuration, in this order. */
  citations?: CitationMode;
  /** The request's parameters that need a feature, by the client's names. */
  requestedFeatures: RequestedFeature[];
  /** Whether the client requested a stream. */
  stream: boolean;
  usage: UsageReporting;
  /** If set, an upstream with this dialect may pass it on instead of the fields below, which say the same. */
  originalRequest?: OriginalRequest;
  /** The functions that the model may call; undefined if there are none. */
  tools?: Tool[];
  toolChoice?: ToolChoice;
  /** Undefined means the default, which is true. */
  parallelToolCalls?: boolean;
  responseFormat?: ResponseFormat;
  /** By OpenAI's names: `temperature`, `top_p`. */
  sampling?: Record<string, number>;
  limits?: AnswerLimits;
  /** Passed on to services that can use it; never to Kimi. */
  trace?: TraceContext;
  principal: Principal;
  signal: AbortSignal;
};

/** One event of an answer. */
export type ChatEvent =
  /** The first event: which upstream answers, and which of the client's parameters it ignores. */
  | {
      type: "start";
      upstream: string;
      model: string;
      simulated: boolean;
      citations: CitationMode;
      ignored: string[];
    }
  /**
   * The upstream has accepted the message. `chat` and `message` are its ids of the chat and of the answer; the next
   * turn continues after them (with `chatStructure: "line"`, `message` is not needed). `toolState`: what the model was told
   * of functions, to be saved with the turn. Consumed by the chat layer.
   */
  | { type: "chat-opened"; chat: string; message: string; toolState?: string }
  /** The id that a client can send as `ChatRequest.conversation` to continue after this answer. */
  | { type: "conversation"; id: string }
  | { type: "reasoning"; text: string }
  | { type: "text"; text: string }
  /**
   * A delta of the tool call with this index: the first one has `id` and `name`; `arguments` are to be concatenated.
   */
  | { type: "tool-call"; index: number; id?: string; name?: string; arguments: string }
  /**
   * A stream chunk, or a whole response, as the upstream sent it. The same content as other events follows in the same
   * batch, so an encoder uses either this event or those. `usageOnly`: the chunk contains usage and nothing else.
   */
  | { type: "verbatim"; dialect: OriginalRequest["dialect"]; json: string; usageOnly: boolean }
  | { type: "search"; queries: string[] }
  /** The service runs a tool of its own, other than a search. */
  | { type: "service-tool"; name: string }
  | { type: "source"; source: Source }
  /**
   * A citation at this position of the text. `sources` are values of `Source.index`, from earlier events or, where a source
   * comes after the text that cites it, from later ones.
   */
  | { type: "citation"; sources: number[] }
  /** A remark for the user that is not an error, such as a fallback to a weaker model. */
  | { type: "notice"; code: string; message: string }
  /** The upstream withdrew the answer. */
  | { type: "retract" }
  | { type: "usage"; usage: Usage }
  /**
   * The regular end: exactly once and last. An answer without it ends with a GatewayError. `isInexact`: the upstream's chat
   * does not hold exactly what the client was given, so no turn continues after this answer. `stopSequence`: the one of the
   * request's stop texts that ended the answer, where that is known.
   */
  | { type: "finish"; reason: FinishReason; stopSequence?: string; isInexact?: true };

/** The first event of an answer: model, upstream and the parameters that it ignores. */
export type StartEvent = Extract<ChatEvent, { type: "start" }>;

/** True for events that a client can see. Before the first one, the request can still be sent to another upstream. */
export function isVisible({ type }: ChatEvent): boolean {
  return visible.has(type);
}

const visible = new Set<ChatEvent["type"]>([
  "text",
  "reasoning",
  "tool-call",
  "verbatim",
  "search",
  "source",
]);

/** Why an answer ended. */
export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter";

/** A web page that a search has found. */
export type Source = {
  /** Counted from 1 in order of appearance. */
  index: number;
  url: string;
  title: string;
  snippet?: string;
  site?: string;
  published?: string;
};

/** Token counts of a turn. `estimated`: not counted by the model's own tokenizer. */
export type Usage = { input: number; output: number; reasoning: number; cached: number; estimated: boolean };

/** A model that an upstream offers. */
export type Model = {
  id: string;
  name: string;
  /** The vendor. */
  owner: string;
  /** In tokens, prompt and answer together; undefined if the upstream does not report it. */
  contextLength: number | undefined;
  inputs: readonly ("text" | "image" | "file")[];
  /** Supported efforts, weakest first. */
  thinking: Thinking[];
  /** An agent scenario, which runs tools on Kimi's side; chosen only by its own id. */
  agent: boolean;
  /** Conversations cannot continue on a model of another scope. */
  conversationScope: string;
  /** The model that `moonshot-v1` and `kimi` mean on this upstream. */
  isDefault: boolean;
};

/** A request to one upstream, with model, search, thinking and history resolved by the chat layer. */
export type UpstreamRequest = {
  model: Model;
  messages: Message[];
  /** Undefined means the upstream's default: Kimi's own models search by themselves, a service that charges for it does not. */
  search: boolean | undefined;
  /** Undefined means the upstream's default. */
  thinking: Thinking | undefined;
  /**
   * Continue this upstream chat after this message instead of opening a new one. `toolState`: what the model was told of
   * functions there.
   */
  continueFrom?: { chat: string; parent: string; toolState?: string };
} & Pick<
  ChatRequest,
  | "stream"
  | "originalRequest"
  | "tools"
  | "toolChoice"
  | "parallelToolCalls"
  | "responseFormat"
  | "sampling"
  | "limits"
  | "trace"
>;

/** A file to upload. `read` streams its bytes and may be called again if the upload is retried. */
export type FileContent = {
  name: string;
  mediaType: string;
  /** In bytes. */
  size: number;
  read(): AsyncIterable<Uint8Array>;
};

/** A picture from the public web; `base64` are its bytes. */
export type FetchedPicture = { mediaType: string; base64: string };
/** Fetches a linked picture. Throws GatewayError. */
export type FetchPicture = (url: string, signal: AbortSignal) => Promise<FetchedPicture>;

/** A quota of an account. `used`: the used fraction, from 0 to 1; `resetsAt`: milliseconds since the epoch. */
export type Quota = { name: string; used: number; resetsAt?: number };

/** The state of an upstream's account; `detail` is a text for the user. Times are milliseconds since the epoch. */
export type AccountStatus =
  /**
   * It can answer. `expiresAt`: when the credentials expire unless refreshed; `expiring`: that is soon, or they cannot
   * be refreshed.
   */
  | { state: "ok" | "expiring"; detail: string; expiresAt?: number }
  /** Its concurrency limit is reached; requests wait in the queue. */
  | { state: "busy"; detail: string }
  /** Rate limited, or out of quota, until then. */
  | { state: "limited" | "quota"; detail: string; until?: number }
  /** The person must log in again. */
  | { state: "login required"; detail: string }
  /** Unreachable; the next attempt is at `until`. */
  | { state: "unavailable"; detail: string; until?: number };

/**
 * Receives the events of an answer in batches. Push, not pull. If the sink returns a promise, do not call it again, and
 * do not end the answer, until that settles (back-pressure). Pushing avoids waking a chain of async readers, which
 * would cost more CPU than processing the delta (docs/decisions/0001-push-instead-of-pull.md).
 */
export type EventSink = (events: readonly ChatEvent[]) => Promise<void> | undefined;

/**
 * A service that answers chat requests. `chat` emits events in batches, one per read of the upstream's socket, so that
 * they can leave in one write. `finish` comes exactly once and last, then `chat` resolves; otherwise it throws a
 * GatewayError. An abort, or an error thrown by the sink, stops the upstream.
 */
export interface Upstream {
  readonly name: string;
  /** `kind` in the configuration: `kimi-web`, `openai`. */
  readonly kind: string;
  readonly simulated: boolean;
  readonly features: ReadonlySet<Feature>;
  /**
   * How it stores conversations: `tree` continues after any answer, `line` after the last one only, `none` needs the
   * whole history in every request.
   */
  readonly chatStructure: "tree" | "line" | "none";
  /** What is known of the account's behaviour. Absent where nothing is assumed that could be false. */
  readonly capabilities?: Capabilities;
  /** Throws GatewayError if the models cannot be listed. */
  models(signal: AbortSignal): Promise<Model[]>;
  /** True while `models` gives a built-in list, because the account's own could not be had. Absent where that cannot be. */
  usesBuiltInModels?(): boolean;
  /** Finds a model that is not listed but can be used by this name. */
  findModel?(name: string): Model | undefined;
  /**
   * Does what `chat` needs but what must not hold up other requests of the account: fetches the linked pictures that the
   * service does not fetch itself. Called before the request waits for its turn. Absent where there is nothing to do.
   */
  prepare?(
    request: UpstreamRequest,
    fetchPicture: FetchPicture,
    signal: AbortSignal,
  ): Promise<UpstreamRequest>;
  chat(request: UpstreamRequest, sink: EventSink, signal: AbortSignal): Promise<void>;
  /** Whether it ignores this parameter of the request for this model, though it has the feature. */
  ignores?(parameter: RequestedFeature, request: ChatRequest, model: Model): boolean;
  /** A stable one-way id of the account; chats belong to one account. */
  accountId(): string;
  /** The account's first name, if it was renamed since: its conversations go on under that. Absent where names are fixed. */
  firstName?(): string | undefined;
  /** Uploads a file and resolves to its id at the upstream. Throws `file_rejected`. */
  upload?(file: FileContent, signal: AbortSignal): Promise<string>;
  /** Deletes a chat. Throws `not_found` if it is already deleted. Absent where there are no chats. */
  deleteChat?(chat: string, signal: AbortSignal): Promise<void>;
  /** The account's state from local information; sends no request. */
  status(): AccountStatus;
  /** Requests the upstream's id of the account's user. Absent where that is not supported. */
  currentUser?(signal: AbortSignal): Promise<string>;
  /** Requests the account's quotas. Absent where there are none. */
  quota?(signal: AbortSignal): Promise<Quota[]>;
  close(): Promise<void>;
}
