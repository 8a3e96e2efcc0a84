import type { ChatRequest } from "../core/types.js";

/** The sampling parameters with these names that are set in a body. */
export function readSampling<const Name extends string>(
  body: Readonly<Partial<Record<Name, number | null>>>,
  names: readonly Name[],
): Pick<ChatRequest, "sampling"> {
  const set = names.flatMap((name) => {
    const value = body[name];
    return typeof value === "number" ? [[name, value] as const] : [];
  });
  return set.length > 0 ? { sampling: Object.fromEntries(set) } : {};
}
