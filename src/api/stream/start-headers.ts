import type { StartEvent } from "../../core/types.js";

/** Headers of an answer that name the upstream and the request's parameters that it ignores. */
export function startHeaders(start: StartEvent | undefined): Record<string, string> {
  if (!start) return {};
  const ignored = start.ignored.join(", ").slice(0, 1_000);
  return { "x-moonbridge-upstream": start.upstream, ...(ignored ? { "x-moonbridge-ignored": ignored } : {}) };
}
