import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, EventSink, Usage } from "../../core/types.js";
import { type JsonObject, objectsIn } from "../../lib/json.js";
import { without } from "./request.js";

const name = "$web_search";
const webSearch = { type: "builtin_function", function: { name } };

/** Asks the service once and tells the plain events of the answer. */
type Ask = (body: JsonObject, tell: EventSink) => Promise<void>;

/**
 * An answer for which Moonshot searches the web (moonshot-platform.md A.9.1): each call of its builtin function is
 * sent back as it is, until the model answers. The client sees one answer and what all of it took; after
 * `limits.searchRounds` the model has to do without. Throws where it still asks then.
 */
export async function searching(ask: Ask, body: JsonObject, tell: EventSink): Promise<void> {
  const own = objectsIn(body.tools);
  let messages = objectsIn(body.messages);
  let usage: Usage | undefined;
  for (let round = 1; ; round++) {
    const tools = round <= limits.searchRounds ? [...own, webSearch] : own;
    const asked = { ...body, messages, tools };
    const turn = new SearchTurn();
    await ask(tools.length > 0 ? asked : without(asked, ["tools", "tool_choice"]), (events) => {
      const outward = events.flatMap((event) => turn.hear(event));
      return outward.length > 0 ? tell(outward) : undefined;
    });
    usage = sum(usage, turn.usage);
    if (!turn.searches) {
      await tell([...(usage ? [{ type: "usage" as const, usage }] : []), ...turn.ending]);
      return;
    }
    if (round > limits.searchRounds) {
      throw new GatewayError("upstream_protocol", "The model went on searching instead of answering.");
    }
    await tell([{ type: "search", queries: [] }]);
    messages = [...messages, turn.message(), ...turn.results()];
  }
}

type Call = { id: string; name: string; arguments: string };

/** One answer of the loop: what of it the client sees, and how it goes into the history. */
class SearchTurn {
  readonly #calls = new Map<number, Call>();
  #text = "";
  #reasoning = "";
  usage: Usage | undefined;
  /** How the answer ends, if this is its last turn. */
  ending: ChatEvent[] = [];

  /** What the client sees of an event. */
  hear(event: ChatEvent): ChatEvent[] {
    switch (event.type) {
      case "text":
        this.#text += event.text;
        return [event];
      case "reasoning":
        this.#reasoning += event.text;
        return [event];
      case "tool-call":
        return this.#hearCall(event);
      case "usage":
        this.usage = event.usage;
        return [];
      case "finish":
        this.ending = [...(this.#isMixed() ? [postponed] : []), event];
        return [];
      default:
        return [event];
    }
  }

  /** True where the model waits for searches and nothing else: only the client can answer its own functions. */
  get searches(): boolean {
    return this.#calls.size > 0 && this.#own().length === 0;
  }

  /** The turn as the assistant's message. */
  message(): JsonObject {
    return {
      role: "assistant",
      ...(this.#text === "" ? {} : { content: this.#text }),
      reasoning_content: this.#reasoning,
      tool_calls: [...this.#calls.values()].map(({ id, arguments: text }) => ({
        id,
        type: webSearch.type,
        function: { name, arguments: text },
      })),
    };
  }

  /** What the service wants to hear back: its own arguments. */
  results(): JsonObject[] {
    return [...this.#calls.values()].map((call) => ({
      role: "tool",
      tool_call_id: call.id,
      name,
      content: call.arguments,
    }));
  }

  #hearCall(event: Extract<ChatEvent, { type: "tool-call" }>): ChatEvent[] {
    const known = this.#calls.get(event.index);
    const call = known ?? { id: event.id ?? "", name: event.name ?? "", arguments: "" };
    this.#calls.set(event.index, { ...call, arguments: call.arguments + event.arguments });
    if (call.name === name) return [];
    return [{ ...event, index: this.#own().indexOf(event.index) }];
  }

  /** The indexes of the calls of the client's own functions, which are numbered without the searches. */
  #own(): number[] {
    return [...this.#calls].flatMap(([index, call]) => (call.name === name ? [] : [index]));
  }

  #isMixed(): boolean {
    const own = this.#own().length;
    return own > 0 && own < this.#calls.size;
  }
}

const postponed: ChatEvent = {
  type: "notice",
  code: "search_postponed",
  message:
    "The model asked for a search and for functions at once; it can search after the functions' answers.",
};

function sum(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
  if (!one || !other) return one ?? other;
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    reasoning: one.reasoning + other.reasoning,
    cached: one.cached + other.cached,
    estimated: one.estimated || other.estimated,
  };
}
