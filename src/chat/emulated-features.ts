import type { ChatRequest, Feature, ToolMode, Upstream } from "../core/types.js";

/** The features of a request that Moonbridge adds to an upstream without them, by transforms. */
export function emulatedFeatures(
  request: Pick<ChatRequest, "tools">,
  upstream: Pick<Upstream, "features">,
  toolMode: ToolMode,
): ReadonlySet<Feature> {
  const emulatesTools = request.tools && toolMode === "emulate" && !upstream.features.has("tools");
  return new Set([...(emulatesTools ? (["tools"] as const) : []), "max-tokens", "stop"]);
}
