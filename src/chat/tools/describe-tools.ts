import { limits } from "../../core/limits.js";
import type { Tool } from "../../core/types.js";
import type { ToolAliases } from "./tool-aliases.js";
import { describeSignature, describeTool } from "./tool-description.js";

export type DescribedTools = {
  tools: readonly Tool[];
  aliases: ToolAliases;
  /** Names of functions that are told whole, whatever their size. */
  whole: ReadonlySet<string>;
  /** Names of functions that were called lately, the newest first: they are described rather than others. */
  recent: readonly string[];
  /** For the shorter form of the section. */
  isShort: boolean;
};

/** `inShort`: the names of functions that only have a signature. */
export type ToolDescriptions = { text: string; inShort: ReadonlySet<string> };

/**
 * Describes functions within `limits.toolDescriptions`: all whole; or without the descriptions of optional parameters; or
 * briefly; or some of them briefly and the others by their signatures. No function is left out.
 */
export function describeTools({ tools, aliases, whole, recent, isShort }: DescribedTools): ToolDescriptions {
  const budget = isShort ? limits.shortToolDescriptions : limits.toolDescriptions;
  for (const detail of isShort ? (["brief"] as const) : (["whole", "required", "brief"] as const)) {
    const texts = tools.map((tool) =>
      describeTool(tool, aliases.told(tool.name), whole.has(tool.name) ? "whole" : detail),
    );
    if (lengthOf(texts) <= budget) return { text: texts.join("\n\n"), inShort: new Set() };
  }
  const described = new Map<Tool, string>();
  const signatures = new Map(tools.map((tool) => [tool, describeSignature(tool, aliases.told(tool.name))]));
  let length = lengthOf([...signatures.values()]);
  for (const tool of byImportance(tools, whole, recent)) {
    const isWhole = whole.has(tool.name);
    const text = describeTool(tool, aliases.told(tool.name), isWhole ? "whole" : "brief");
    const signature = signatures.get(tool) ?? "";
    const longer = length + text.length - signature.length;
    if (!isWhole && longer > budget) continue;
    described.set(tool, text);
    signatures.delete(tool);
    length = longer;
  }
  const texts = tools.flatMap((tool) => described.get(tool) ?? []);
  if (signatures.size > 0) texts.push(`Further functions, in short:\n${[...signatures.values()].join("\n")}`);
  return { text: texts.join("\n\n"), inShort: new Set([...signatures.keys()].map(({ name }) => name)) };
}

/** The signatures of all functions, one a line. */
export function listSignatures(tools: readonly Tool[], aliases: ToolAliases): string {
  return tools.map((tool) => describeSignature(tool, aliases.told(tool.name))).join("\n");
}

function byImportance(tools: readonly Tool[], whole: ReadonlySet<string>, recent: readonly string[]): Tool[] {
  const rank = new Map(recent.toReversed().map((name, index) => [name, index + 1]));
  for (const name of whole) rank.set(name, Number.POSITIVE_INFINITY);
  return tools.toSorted((a, b) => {
    const [first, second] = [rank.get(a.name) ?? 0, rank.get(b.name) ?? 0];
    return first === second ? 0 : second - first;
  });
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length + 2, 0);
}
