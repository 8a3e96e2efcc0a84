import type { TextSealer } from "../../lib/text-sealer.js";

/** What clients keep in `encrypted_content`. */
export type SealedKind = "reasoning" | "compaction";

const purposes: Record<SealedKind, string> = {
  reasoning: "responses: reasoning",
  compaction: "responses: compaction",
};

export function seal(sealer: Pick<TextSealer, "seal">, kind: SealedKind, text: string): string {
  return sealer.seal(purposes[kind], text);
}

/** The sealed text; undefined if it was not sealed by this server, or not as this kind. */
export function unseal(
  sealer: Pick<TextSealer, "open">,
  kind: SealedKind,
  sealed: string,
): string | undefined {
  return sealer.open(purposes[kind], sealed);
}

/** The message that stands for a compacted history. */
export function readSummary(summary: string): string {
  return `Summary of the conversation so far, in place of its messages:\n\n${summary}`;
}
