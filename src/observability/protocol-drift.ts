import { limits } from "../core/limits.js";

/** The kinds of thing Kimi may add without telling us. */
export type DriftKind =
  | "mask"
  | "event"
  | "block"
  | "op"
  | "container"
  | "status"
  | "reason"
  | "severity"
  | "notification"
  | "code"
  | "citation"
  | "rewrite"
  | "scenario";

export type DriftEntry = { kind: DriftKind; name: string; count: number };

/** Counts what Kimi sent that we do not know, and tells the log once of each. */
export class Drift {
  readonly #entries = new Map<string, DriftEntry>();
  readonly #tell: (entry: DriftEntry) => void;

  constructor(tell: (entry: DriftEntry) => void = () => {}) {
    this.#tell = tell;
  }

  /** `name` must be an identifier of the protocol, never content; anything else is counted without its name. */
  note(kind: DriftKind, name: string): void {
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
    this.#tell(entry);
  }

  entries(): readonly DriftEntry[] {
    return [...this.#entries.values()];
  }
}
