import { describe, expect, test } from "vitest";
import type { Step } from "../../../simulator/steps.js";
import { chatBody, contentOf, type Gateway, parseChunks, postChat, startGateway } from "../../gateway.js";

const sources = [
  { title: "Moon", url: "https://example.org/moon", snippet: "" },
  { title: "Rock", url: "https://example.org/rock", snippet: "" },
];
const mark = (index: number) => `\ue3a0cite\ue3a3web_search:1#${index}\ue3a8`;
const cited = "far [1](https://example.org/moon) away [2](https://example.org/rock).";

function script(sourcesIn: "tool-block" | "citations", more: Step[] = []): () => Step[] {
  return () => [
    { do: "search", queries: ["moon"], sources, sourcesIn },
    ...more,
    { do: "text", content: ["far", mark(0), " away", mark(1), "."] },
  ];
}

const lookups = ({ simulator }: Gateway) =>
  simulator.calls.filter(({ path }) => /GetToolBlock|GetSearchCitation/.test(path));

const driftNames = ({ drift }: Gateway) => drift.entries().map(({ kind, name }) => `${kind} ${name}`);

async function answer(gateway: Gateway): Promise<string> {
  const response = await postChat(gateway, chatBody("hi", { stream: true }));
  return contentOf(parseChunks(await response.text()));
}

describe("search sources that come without their addresses", () => {
  test("are requested one by one, and cited where their marks are", async () => {
    const gateway = await startGateway({ simulator: { script: script("citations") } });
    const text = await answer(gateway);
    expect(text).toContain(cited);
    expect(text).toContain("1. [Moon](https://example.org/moon)\n2. [Rock](https://example.org/rock)");
    expect(lookups(gateway).map(({ body }) => body?.refIndex)).toEqual(["web_search:1#0", "web_search:1#1"]);
    expect(driftNames(gateway)).toEqual(["source without-address"]);
  });

  test("are requested with their tool block", async () => {
    const pause: Step = { do: "text", content: ["The moon is "] };
    const gateway = await startGateway({
      simulator: { script: script("tool-block", [pause, { do: "wait", milliseconds: 50 }]) },
    });
    expect(await answer(gateway)).toContain("1. [Moon](https://example.org/moon)");
    expect(lookups(gateway).map(({ body }) => body?.toolCallId)).toEqual(["web_search:1"]);
    expect(driftNames(gateway)).toContain("source external-tool-block");
  });

  test("that cannot be had are counted, and the answer is complete", async () => {
    const frame = {
      op: "append",
      mask: "message.refs.searchChunks",
      message: { refs: { searchChunks: [{ id: "9", refIndex: "web_search:9#0" }] } },
    };
    const steps: Step[] = [
      { do: "raw", frame },
      { do: "text", content: ["far away."] },
    ];
    const gateway = await startGateway({ simulator: { script: () => steps } });
    expect(await answer(gateway)).toBe("far away.");
    expect(driftNames(gateway)).toEqual(["source without-address", "source lookup-failed"]);
  });

  test("are requested a bounded number of times", async () => {
    const searchChunks = Array.from({ length: 300 }, (_, index) => ({ refIndex: `web_search:9#${index}` }));
    const frame = { op: "append", mask: "message.refs.searchChunks", message: { refs: { searchChunks } } };
    const steps: Step[] = [
      { do: "raw", frame },
      { do: "text", content: ["far away."] },
    ];
    const gateway = await startGateway({ simulator: { script: () => steps } });
    expect(await answer(gateway)).toBe("far away.");
    expect(lookups(gateway).length).toBe(10);
  });

  test("are not requested if another event has them", async () => {
    const withoutBase = sources.map((_, index) => ({
      refIndex: `web_search:1#${index}`,
      chunk: "a passage",
    }));
    const frame = {
      op: "append",
      mask: "message.refs.searchChunks",
      message: { refs: { searchChunks: withoutBase } },
    };
    const steps: Step[] = [
      { do: "search", queries: ["moon"], sources },
      { do: "raw", frame },
      { do: "text", content: ["far", mark(0), " away", mark(1), "."] },
    ];
    const gateway = await startGateway({ simulator: { script: () => steps } });
    expect(await answer(gateway)).toContain(cited);
    expect(lookups(gateway)).toEqual([]);
    expect(driftNames(gateway)).toEqual([]);
  });
});
