import type { ChatRequest, Feature, ToolMode, Upstream } from "../core/types.js";
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
