import type { UpstreamConfig } from "../config/upstream-settings.js";
import { kimiLegacy } from "./kimi-legacy/kind.js";
import { kimiWeb } from "./kimi-web/kind.js";
import { openAi } from "./openai/kind.js";
import { simulator } from "./simulator/kind.js";
import type { UpstreamKind } from "./upstream-kind.js";

/** All kinds of upstreams. */
export const upstreamKinds: readonly UpstreamKind[] = [kimiWeb, kimiLegacy, openAi, simulator];

/** The kind of a valid entry. */
export function kindOf({ kind }: UpstreamConfig): UpstreamKind {
  const found = upstreamKinds.find((each) => each.kind === kind);
  if (!found) throw new Error(`There is no kind of upstream “${kind}”.`);
  return found;
}
