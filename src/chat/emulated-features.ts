import { limits } from "../core/limits.js";
import type { ChatRequest, Feature, ToolMode, Upstream } from "../core/types.js";
import type { LongPromptOptions } from "./long-prompts.js";
import { maxTellingLength } from "./tools/tool-section.js";
import { ToolTransform, type ToolTransformOptions } from "./tools/tool-transform.js";
import { ToolsOffNotice } from "./tools/tools-off.js";
import { AnswerLimiter } from "./transforms/answer-limits.js";
import type { Transform } from "./transforms/transform.js";

/** The features that Moonbridge adds to an upstream without them, by `emulatingTransforms`. */
export function emulatedFeatures(
  { features }: Pick<Upstream, "features">,
  toolMode: ToolMode,
): ReadonlySet<Feature> {
  const possible: Feature[] = ["max-tokens", "stop", ...(toolMode === "emulate" ? (["tools"] as const) : [])];
  return new Set(possible.filter((feature) => !features.has(feature)));
}

/** The transforms of a turn that emulate features of its upstream. */
export function emulatingTransforms(
  request: ChatRequest,
  upstream: Pick<Upstream, "features">,
  { toolMode, tools }: { toolMode: ToolMode; tools: ToolTransformOptions },
): Transform[] {
  const emulated = emulatedFeatures(upstream, toolMode);
  const isWithoutTools = !upstream.features.has("tools") && !emulated.has("tools");
  return [
    ...(request.limits && emulated.has("stop") ? [new AnswerLimiter(request.limits)] : []),
    ...(emulated.has("tools") ? [new ToolTransform(request, tools)] : []),
    ...(request.tools && isWithoutTools ? [new ToolsOffNotice()] : []),
  ];
}

/**
 * How long the conversation in a prompt may be beside what the transforms add to it; undefined for an upstream that takes no
 * files, and thus no longer prompt in another way.
 */
export function longPromptOptions(
  request: ChatRequest,
  upstream: Pick<Upstream, "features" | "upload">,
  { toolMode, tools }: { toolMode: ToolMode; tools: ToolTransformOptions },
): LongPromptOptions | undefined {
  if (!upstream.upload) return undefined;
  const declared = emulatedFeatures(upstream, toolMode).has("tools") ? (request.tools ?? []) : [];
  if (declared.length === 0 || request.toolChoice === "none")
    return { conversation: limits.promptText, oldResult: undefined, isEscaped: declared.length > 0 };
  // Even beside very many functions a part of the conversation is sent.
  const conversation = Math.max(
    limits.promptText / 2,
    limits.promptText - maxTellingLength(declared, request.toolChoice),
  );
  return { conversation, oldResult: tools.maxOldResultCharacters, isEscaped: true };
}
