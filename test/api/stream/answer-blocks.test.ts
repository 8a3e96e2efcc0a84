import fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerBlocks, type BlockEvent } from "../../../src/api/stream/answer-blocks.js";
import type { ChatEvent } from "../../../src/core/types.js";

const text = (value: string): ChatEvent => ({ type: "text", text: value });
const reasoning = (value: string): ChatEvent => ({ type: "reasoning", text: value });
const call = (index: number, args: string, name?: string): ChatEvent => ({
  type: "tool-call",
  index,
  arguments: args,
  ...(name === undefined ? {} : { name, id: `id-${index}` }),
});
const search = (query: string): ChatEvent => ({ type: "search", queries: [query] });
const startWithoutCitations: ChatEvent = {
  type: "start",
  upstream: "kimi",
  model: "k2",
  simulated: true,
  citations: "off",
  ignored: [],
};
const finish: ChatEvent = { type: "finish", reason: "stop" };
const source = (index: number): ChatEvent => ({
  type: "source",
  source: { index, url: "https://a.example/", title: "A" },
});

function blockEvents(events: readonly ChatEvent[]): BlockEvent[] {
  const blocks = new AnswerBlocks();
  return events.flatMap((event) => blocks.onEvent(event));
}

/** As `0 start text`, `0 + Hello`, `0 stop Hello`; a search as `1 start search QUERY`, `1 stop search QUERY SOURCES`. */
function describeAll(events: readonly ChatEvent[]): string[] {
  return blockEvents(events).map((event) => {
    if (event.type === "delta") return `${event.index} + ${event.text}`;
    const { block } = event;
    if (block.kind === "search") {
      const found = block.sources.map(({ index }) => index);
      return [
        event.index,
        event.type,
        "search",
        ...block.queries,
        ...(event.type === "stop" ? found : []),
      ].join(" ");
    }
    if (event.type === "stop") return `${event.index} stop ${event.text}`;
    return `${event.index} start ${block.kind}${block.kind === "tool-call" ? ` ${block.id} ${block.name}` : ""}`;
  });
}

test.each<[name: string, events: ChatEvent[], expected: string[]]>([
  ["an answer without content has no block", [finish], []],
  [
    "a run of text is one block",
    [text("a"), text(""), text("b"), finish],
    ["0 start text", "0 + a", "0 + b", "0 stop ab"],
  ],
  [
    "reasoning and text alternate",
    [reasoning("r"), text("a"), reasoning("s"), finish],
    [
      ...["0 start reasoning", "0 + r", "0 stop r", "1 start text", "1 + a", "1 stop a"],
      ...["2 start reasoning", "2 + s", "2 stop s"],
    ],
  ],
  [
    "a notice between two texts does not end the block",
    [text("a"), { type: "notice", code: "c", message: "m" }, text("b"), finish],
    ["0 start text", "0 + a", "0 + b", "0 stop ab"],
  ],
  [
    "a search is a block with what it found",
    [startWithoutCitations, text("a"), search("q"), source(1), source(2), search("r"), text("b"), finish],
    [
      ...["0 start text", "0 + a", "0 stop a", "1 start search q", "1 stop search q 1 2"],
      ...["2 start search r", "2 stop search r", "3 start text", "3 + b", "3 stop b"],
    ],
  ],
  [
    "sources that come inside a text are a search behind it",
    [startWithoutCitations, text("a"), source(1), text("b"), source(2), finish],
    ["0 start text", "0 + a", "0 + b", "0 stop ab", "1 start search", "1 stop search 1 2"],
  ],
  [
    "a tool call after text, with its arguments in pieces",
    [text("a"), call(0, "", "look"), call(0, '{"q":'), call(0, "1}"), finish],
    [
      ...["0 start text", "0 + a", "0 stop a"],
      ...["1 start tool-call id-0 look", '1 + {"q":', "1 + 1}", '1 stop {"q":1}'],
    ],
  ],
  [
    "interleaved tool calls come one after the other",
    [call(0, "{", "one"), call(1, "[", "two"), call(0, "}"), call(1, "]"), finish],
    [
      ...["0 start tool-call id-0 one", "0 + {", "0 + }", "0 stop {}"],
      ...["1 start tool-call id-1 two", "1 + []", "1 stop []"],
    ],
  ],
  ["a call without arguments", [call(0, "", "now"), finish], ["0 start tool-call id-0 now", "0 stop "]],
  [
    "a citation belongs to its text, the list of sources to the last one",
    [source(1), text("a"), { type: "citation", sources: [1] }, finish],
    [
      ...["0 start search", "0 stop search 1"],
      ...["1 start text", "1 + a", "1 +  [1](https://a.example/)"],
      "1 + \n\n**参考 / Sources**\n\n1. [A](https://a.example/)\n",
      "1 stop a [1](https://a.example/)\n\n**参考 / Sources**\n\n1. [A](https://a.example/)\n",
    ],
  ],
])("%s", (_name, events, expected) => {
  expect(describeAll(events).map((line) => line.trimEnd())).toEqual(expected.map((line) => line.trimEnd()));
});

test("a tool call that goes on after its end is an error", () => {
  expect(() => blockEvents([call(0, "{", "one"), text("a"), call(0, "}")])).toThrow(/continued a tool call/);
});

test("one block is open at a time, and its end has all of its deltas", () => {
  const anyEvent = fc.record({
    kind: fc.constantFrom("text", "reasoning", "tool-call"),
    sent: fc.string({ maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (drawn) => {
      // Each call has its own index, since a call must not go on after other content.
      const events = drawn.map(({ kind, sent }, index) =>
        kind === "text" ? text(sent) : kind === "reasoning" ? reasoning(sent) : call(index, sent, "tool"),
      );
      let open: { index: number; text: string } | undefined;
      let count = 0;
      let content = "";
      for (const event of blockEvents([...events, finish])) {
        if (event.type === "start") {
          expect(open).toBeUndefined();
          open = { index: event.index, text: "" };
          expect(event.index).toBe(count++);
        } else if (event.type === "delta") {
          expect(event.index).toBe(open?.index);
          if (open) open.text += event.text;
        } else {
          expect(event).toMatchObject(open ?? {});
          content += event.text;
          open = undefined;
        }
      }
      expect(open).toBeUndefined();
      const sent = drawn.map((event) => event.sent).join("");
      expect(content.length).toBe(sent.length);
    }),
  );
});
