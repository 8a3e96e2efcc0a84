import { limits } from "../core/limits.js";

/**
 * The kinds of protocol elements in which Kimi may introduce unknown values. `capability`: one that Kimi has contradicted
 * (core/capabilities.ts).
 */
export type DriftKind =
  | "event"
  | "frame"
  | "container"
  | "field"
  | "block"
  | "stage"
  | "role"
  | "op"
  | "status"
  | "reason"
  | "severity"
  | "notification"
  | "code"
  | "citation"
  | "source"
  | "echo"
  | "capability"
  | "rewrite"
  | "scenario";

export type DriftEntry = { kind: DriftKind; name: string; count: number };

/** Counts unknown protocol elements, up to `limits.driftNames` of them; `onNewEntry` is called once for each. */
export class ProtocolDrift {
  readonly #entries = new Map<string, DriftEntry>();
  readonly #onNewEntry: (entry: DriftEntry) => void;

  constructor(onNewEntry: (entry: DriftEntry) => void = () => {}) {
    this.#onNewEntry = onNewEntry;
  }

  /** `name` must be a protocol identifier, never content; a name of another form is counted as "(not an identifier)". */
  record(kind: DriftKind, name: string): void {
    const safe = /^[\w.,:#-]{1,80}$/.test(name) ? name : "(not an identifier)";
    const key = `${kind} ${safe}`;
    const known = this.#entries.get(key);
    if (known) {
      known.count++;
      return;
    }
    if (this.#entries.size >= limits.driftNames) return;
    const entry = { kind, name: safe, count: 1 };
    this.#entries.set(key, entry);
    this.#onNewEntry(entry);
  }

  entries(): readonly DriftEntry[] {
    return [...this.#entries.values()];
  }
}
