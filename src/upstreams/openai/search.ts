import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, EventSink, Usage } from "../../core/types.js";
import { type JsonObject, objectsIn } from "../../lib/json.js";
import { omitKeys } from "./request.js";

const searchFunctionName = "$web_search";
const webSearchTool = { type: "builtin_function", function: { name: searchFunctionName } };

/** Sends one request and emits the answer's events, without `verbatim` ones. */
type SendCompletion = (body: JsonObject, sink: EventSink) => Promise<void>;

/**
 * Runs Moonshot's web search (moonshot-platform.md A.9.1): sends each call of the builtin function back as its own
 * result until the model answers. The client sees one answer with the usage of all rounds. After `limits.searchRounds`
 * the search tool is withheld; throws `upstream_protocol` if the model still calls it.
 */
export async function runSearchLoop(send: SendCompletion, body: JsonObject, sink: EventSink): Promise<void> {
  const clientTools = objectsIn(body.tools);
  let messages = objectsIn(body.messages);
  let usage: Usage | undefined;
  for (let roundNumber = 1; ; roundNumber++) {
    const tools = roundNumber <= limits.searchRounds ? [...clientTools, webSearchTool] : clientTools;
    const roundBody = { ...body, messages, tools };
    const round = new SearchRound();
    await send(tools.length > 0 ? roundBody : omitKeys(roundBody, ["tools", "tool_choice"]), (events) => {
      const visible = events.flatMap((event) => round.onEvent(event));
      return visible.length > 0 ? sink(visible) : undefined;
    });
    usage = addUsage(usage, round.usage);
    if (!round.isSearchOnly) {
      await sink([...(usage ? [{ type: "usage" as const, usage }] : []), ...round.finalEvents]);
      return;
    }
    if (roundNumber > limits.searchRounds) {
      throw new GatewayError("upstream_protocol", "The model went on searching instead of answering.");
    }
    await sink([{ type: "search", queries: [] }]);
    messages = [...messages, round.toAssistantMessage(), ...round.toToolMessages()];
  }
}

/** A tool call of the model, its arguments as received so far. */
type RoundCall = { id: string; name: string; arguments: string };

/** One answer of the loop: selects the events that the client gets, and builds the messages for the next round. */
class SearchRound {
  readonly #calls = new Map<number, RoundCall>();
  #text = "";
  #reasoning = "";
  usage: Usage | undefined;
  /** The events at the end of the answer if this is the last round. */
  finalEvents: ChatEvent[] = [];

  /** Returns the events that the client gets in place of this one. */
  onEvent(event: ChatEvent): ChatEvent[] {
    switch (event.type) {
      case "text":
        this.#text += event.text;
        return [event];
      case "reasoning":
        this.#reasoning += event.text;
        return [event];
      case "tool-call":
        return this.#onToolCall(event);
      case "usage":
        this.usage = event.usage;
        return [];
      case "finish":
        this.finalEvents = [...(this.#hasBothKinds() ? [searchPostponed] : []), event];
        return [];
      default:
        return [event];
    }
  }

  /** True if the model called only the search. Calls of the client's own functions must be answered by the client. */
  get isSearchOnly(): boolean {
    return this.#calls.size > 0 && this.#clientCallIndexes().length === 0;
  }

  /** The answer as an assistant message. */
  toAssistantMessage(): JsonObject {
    return {
      role: "assistant",
      ...(this.#text === "" ? {} : { content: this.#text }),
      reasoning_content: this.#reasoning,
      tool_calls: [...this.#calls.values()].map(({ id, arguments: text }) => ({
        id,
        type: webSearchTool.type,
        function: { name: searchFunctionName, arguments: text },
      })),
    };
  }

  /** The tool results that the service expects: the calls' own arguments. */
  toToolMessages(): JsonObject[] {
    return [...this.#calls.values()].map((call) => ({
      role: "tool",
      tool_call_id: call.id,
      name: searchFunctionName,
      content: call.arguments,
    }));
  }

  #onToolCall(event: Extract<ChatEvent, { type: "tool-call" }>): ChatEvent[] {
    const known = this.#calls.get(event.index);
    const call = known ?? { id: event.id ?? "", name: event.name ?? "", arguments: "" };
    this.#calls.set(event.index, { ...call, arguments: call.arguments + event.arguments });
    if (call.name === searchFunctionName) return [];
    return [{ ...event, index: this.#clientCallIndexes().indexOf(event.index) }];
  }

  /** Indexes of the calls of the client's functions, which the client sees numbered without the searches. */
  #clientCallIndexes(): number[] {
    return [...this.#calls].flatMap(([index, call]) => (call.name === searchFunctionName ? [] : [index]));
  }

  #hasBothKinds(): boolean {
    const clientCalls = this.#clientCallIndexes().length;
    return clientCalls > 0 && clientCalls < this.#calls.size;
  }
}

const searchPostponed: ChatEvent = {
  type: "notice",
  code: "search_postponed",
  message:
    "The model asked for a search and for functions at once; it can search after the functions' answers.",
};

function addUsage(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (!a || !b) return a ?? b;
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    cached: a.cached + b.cached,
    estimated: a.estimated || b.estimated,
  };
}
