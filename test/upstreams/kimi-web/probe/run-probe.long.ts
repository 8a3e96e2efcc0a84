import { describe, expect, test } from "vitest";
import type { Capability } from "../../../../simulator/index.js";
import { listKimiChats } from "../../../conversations/dialogue.js";
import { all, probe, valuesOf } from "./probed-account.js";

describe("a probe", () => {
  test.each<[Capability, Partial<Record<keyof typeof all, boolean>>]>([
    ["old-parent", { "old-parent": false }],
    ["old-parent-accepted", { "old-parent": false }],
    ["cancelled-parent", { "cancelled-parent": false }],
    ["chat-without-parent", { "chat-without-parent": false }],
    ["echo-text", { "echo-text": false }],
    ["tool-calls", { "tool-calls": false }],
    ["tool-calls-thinking", { "tool-calls-thinking": false }],
    ["declared-tools", { "declared-tools": false }],
    ["system-prompt", { "system-prompt": false }],
    ["long-prompt", { "long-prompt": false }],
    ["legacy-endpoints", { "legacy-endpoints": false }],
    ["tool-blocks", { "tool-blocks": false }],
  ])("finds that %s is missing, and nothing else", async (name, missing) => {
    const { results, simulator } = await probe({ without: [name] });
    expect(valuesOf(results)).toEqual({ ...all, ...missing });
    expect(await listKimiChats(simulator)).toEqual([]);
  });

  test.each(["stops", "lost", "differs"] as const)("finds that a cut answer %s", async (afterCut) => {
    const { results } = await probe({ afterCut });
    expect(valuesOf(results)).toEqual({ ...all, "readable-after-cut": false });
  });

  test("measures how long a chat is stopping", async () => {
    const { results } = await probe({ cancelMilliseconds: 1_200 });
    const busy = results.find(({ name }) => name === "busy-seconds");
    expect(busy).toMatchObject({ outcome: "measured", value: expect.closeTo(2, -1) });
    expect(busy && "value" in busy && Number(busy.value)).toBeGreaterThanOrEqual(1.2);
  });
});
