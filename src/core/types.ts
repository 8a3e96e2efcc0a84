/**
 * The vocabulary of the house: what comes in, what goes out, and who answers. Read this file first.
 * What can go wrong stands in `errors.ts`.
 */
import type { JsonObject } from "../lib/json.js";

/** A piece of a message: text, or a picture or document by link, bytes or the id of an earlier upload. */
export type Part = TextPart | MediaPart;
type TextPart = { type: "text"; text: string };
export type MediaPart = {
  type: "image" | "file";
  source: MediaSource;
  name?: string;
  mediaType?: string;
  /** Where it stands in the request, for errors: `messages[0].content[1]`. */
  path: string;
};
export type MediaSource =
  | { kind: "link"; url: string }
  | { kind: "bytes"; base64: string }
  | { kind: "file-id"; id: string };

/** One message of the history as the client sent it, in the order it was sent. */
export type Message =
  | { role: "system"; content: Part[] }
  | { role: "user"; content: Part[]; name?: string }
  | { role: "assistant"; content: Part[]; reasoning?: string; toolCalls?: ToolCall[] }
  | { role: "tool"; content: Part[]; toolCallId: string; name?: string };

export type ToolCall = { id: string; name: string; arguments: string };

/** A function that the model may call; `parameters` is a JSON Schema. */
export type Tool = { name: string; description?: string; parameters: JsonObject; strict?: boolean };
export type ToolChoice = "auto" | "none" | "required" | { name: string };

/** The client's own request, for an upstream that speaks the same dialect. */
type OriginalRequest = { dialect: "openai-chat"; body: JsonObject };

/** How hard the model is to think before it answers. */
export type Thinking = "off" | "low" | "high" | "max";

/** Something a request may ask for that not every upstream can honour. */
export type Feature =
  | "sampling"
  | "max-tokens"
  | "stop"
  | "tools"
  | "output-format"
  | "logprobs"
  | "conversation"
  /** A parameter that Moonbridge does not know and lets through. */
  | "unknown";

/** What becomes of the chats that answers make upstream: continued, one for each answer, or deleted at once. */
export const chatModes = ["native", "merged", "ephemeral"] as const;
export type ChatMode = (typeof chatModes)[number];

/** How the sources of a search are shown; see `citations.ts`. */
export const citationModes = ["inline", "footer", "annotations", "off"] as const;
export type CitationMode = (typeof citationModes)[number];

/** What a caller may do here: chat, and look after the house. */
export const scopes = ["chat", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** Who asks: the name of the API key, never the key; and what was settled for it. */
export type Principal = {
  keyName: string;
  scopes: readonly Scope[];
  /** The models it may name, each with any suffixes; undefined, or "*" among them: all. */
  models?: readonly string[];
  /** The upstreams that may answer it; undefined: all. */
  upstreams?: readonly string[];
  chats?: ChatMode;
  citations?: CitationMode;
};

/** What a client asks for, whatever dialect it spoke. */
export type ChatRequest = {
  /** As the client named it; `route.ts` resolves it. */
  model: string;
  messages: Message[];
  /** Undefined: the model's default. */
  search?: boolean;
  /** Undefined: the model's default. */
  thinking?: Thinking;
  /** The id of an earlier answer's conversation; otherwise it is found by its history. */
  conversation?: string;
  /** Undefined: what the model's name, the key or the config says. */
  citations?: CitationMode;
  /** The parameters that need a feature, in the client's own words. */
  requestedFeatures: { parameter: string; feature: Feature }[];
  /** Whether the client reads the answer as it comes. */
  stream: boolean;
  /** Whether the client is told what the turn took. Where nobody reads it, it is not counted. */
  includeUsage: boolean;
  /** With it, `tools` to `limits` may be left in there. */
  originalRequest?: OriginalRequest;
  tools?: Tool[];
  toolChoice?: ToolChoice;
  /** By OpenAI's names: `temperature`, `top_p`. */
  sampling?: Record<string, number>;
  limits?: { maxTokens?: number; stop?: string[] };
  principal: Principal;
  signal: AbortSignal;
};

/** One thing that happens while an answer is made. */
export type ChatEvent =
  /** First of all: who answers, and which of the client's parameters that upstream cannot honour. */
  | {
      type: "start";
      upstream: string;
      model: string;
      simulated: boolean;
      citations: CitationMode;
      ignored: string[];
    }
  /**
   * The upstream's own names for this turn: where a next turn can continue. Ends at the chat layer. Before it nothing
   * was said to the upstream. In a chat that is a line no message is named: it goes on at its end.
   */
  | { type: "opened"; chat: string; message: string }
  /** What a client may send as `conversation` to go on here. */
  | { type: "conversation"; id: string }
  | { type: "reasoning"; text: string }
  | { type: "text"; text: string }
  /** A piece of the call with this index, which is new where `id` and `name` are given; the arguments add up. */
  | { type: "tool-call"; index: number; id?: string; name?: string; arguments: string }
  /**
   * One chunk of a stream, or a whole answer, as the upstream sent it; the plain events of the same chunk follow in
   * the same lot. A dialect other than this one leaves it out. `usageOnly`: it tells what was used and nothing else.
   */
  | { type: "verbatim"; dialect: OriginalRequest["dialect"]; json: string; usageOnly: boolean }
  | { type: "search"; queries: string[] }
  | { type: "source"; source: Source }
  /** A mark inside the text, already taken out of it. The numbers are those of earlier `source` events. */
  | { type: "citation"; sources: number[] }
  /** Something the person should know that is no failure, such as a weaker model taking over. */
  | { type: "notice"; code: string; message: string }
  /** The upstream withdrew all it had said. */
  | { type: "retract" }
  | { type: "usage"; usage: Usage }
  /** The honest end. Comes exactly once, last, or the stream throws a GatewayError instead. */
  | { type: "finish"; reason: FinishReason };

/** What a client can see of an answer; before it, an answer can still be begun again. */
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

export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter";

export type Source = {
  /** Counted from 1 in order of appearance. */
  index: number;
  url: string;
  title: string;
  snippet?: string;
  site?: string;
  published?: string;
};

/** Token counts of a turn. `estimated` says that they were not counted by the model's own tokenizer. */
export type Usage = { input: number; output: number; reasoning: number; cached: number; estimated: boolean };

/** A model as an upstream offers it. */
export type Model = {
  id: string;
  name: string;
  /** Who made it. */
  owner: string;
  /** In tokens, prompt and answer together. Undefined: its upstream does not say. */
  contextLength: number | undefined;
  inputs: readonly ("text" | "image" | "file")[];
  /** The efforts it can be set to, weakest first. */
  thinking: Thinking[];
  /** An agent scenario runs tools on Kimi's side; a plain chat never lands in one. */
  agent: boolean;
  /** A conversation cannot move between models of different scopes. */
  scope: string;
  /** What `moonshot-v1` and `kimi` mean on this upstream. */
  isDefault: boolean;
};

/** A request whose model, switches and history the chat layer has settled. */
export type UpstreamRequest = {
  model: Model;
  messages: Message[];
  search: boolean;
  /** Undefined: the upstream's default. */
  thinking: Thinking | undefined;
  /** Continue this chat of the upstream's instead of opening a new one. */
  continueFrom?: { chat: string; parent: string };
} & Pick<ChatRequest, "stream" | "originalRequest" | "tools" | "toolChoice" | "sampling" | "limits">;

/** A file on its way to an upstream. It may be read again where sending it has to be repeated. */
export type FileContent = {
  name: string;
  mediaType: string;
  /** In bytes. */
  size: number;
  read(): AsyncIterable<Uint8Array>;
};

/** How much of an allowance an account has used, from 0 to 1, and when it begins anew (milliseconds since the epoch). */
export type Quota = { name: string; used: number; resetsAt?: number };

/**
 * The state of the account behind an upstream, with the next thing to do where it is not well. Times are milliseconds
 * since the epoch.
 */
export type AccountStatus =
  /** It answers; `expiresAt` is when the login ends unless it is renewed, and `expiring` says that it will not be. */
  | { state: "ok" | "expiring"; detail: string; expiresAt?: number }
  /** It answers others; requests wait their turn. */
  | { state: "busy"; detail: string }
  /** It is asked too often, or its quota is used up, until then. */
  | { state: "limited" | "quota"; detail: string; until?: number }
  /** Only the person can help. */
  | { state: "login required"; detail: string }
  /** It cannot be reached; it is tried again then. */
  | { state: "unavailable"; detail: string; until?: number };

/**
 * Hears the events of an answer in lots. Where it returns a promise it is full, and must not be told more, nor that
 * the answer is over, until that settles. Told, not asked for: waking a chain of readers would cost more than all that
 * is done to a delta.
 */
export type EventSink = (events: readonly ChatEvent[]) => Promise<void> | undefined;

/**
 * Who answers. `chat` tells the events in lots: all that one read from the upstream's socket brought, so that they can
 * leave in one write. `finish` comes exactly once and last, and then `chat` resolves; or it throws a GatewayError.
 * A listener that throws, or the signal, stops the upstream.
 */
export interface Upstream {
  readonly name: string;
  readonly kind: string;
  readonly simulated: boolean;
  readonly features: ReadonlySet<Feature>;
  /**
   * How it keeps conversations: as trees that can go on from any answer, as lines that go on from the last one, or
   * not at all; then it is given the whole history each time.
   */
  readonly chatStructure: "tree" | "line" | "none";
  /** Throws GatewayError where it cannot say. */
  models(signal: AbortSignal): Promise<Model[]>;
  /** A model that is not in the list but answers to this name. */
  findModel?(name: string): Model | undefined;
  chat(request: UpstreamRequest, tell: EventSink, signal: AbortSignal): Promise<void>;
  /** The parameters of this request, in the client's own words, that it leaves out for this model. */
  ignoredParameters?(request: ChatRequest, model: Model): string[];
  /** The account that answers, by an id that tells nobody else anything: its chats are its own. */
  accountId(): string;
  /** Takes a file in and resolves to the upstream's id of it. Throws `file_rejected`. */
  upload?(file: FileContent, signal: AbortSignal): Promise<string>;
  /** Deletes a chat upstream. Throws `not_found` if it is gone already. Absent where there are none. */
  deleteChat?(chat: string, signal: AbortSignal): Promise<void>;
  /** What is known without asking; costs nothing. */
  status(): AccountStatus;
  /** Asks whose account it is, by the upstream's id of the user. Absent where it cannot be asked. */
  currentUser?(signal: AbortSignal): Promise<string>;
  /** Asks what the account has used of its allowances. Absent where there are none. */
  quota?(signal: AbortSignal): Promise<Quota[]>;
  close(): Promise<void>;
}
