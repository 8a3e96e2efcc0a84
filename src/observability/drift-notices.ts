import { limits } from "../core/limits.js";
import type { Notification } from "./notifier.js";
import type { DriftEntry } from "./protocol-drift.js";

/** Tells the owner that Kimi has changed something, at most once in `limits.driftNotice`: the log has every entry. */
export class DriftNotices {
  readonly #notify: (notification: Notification) => void;
  #quietUntil = 0;

  constructor(notify: (notification: Notification) => void) {
    this.#notify = notify;
  }

  onNewEntry({ kind, name }: Pick<DriftEntry, "kind" | "name">): void {
    const now = Date.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + limits.driftNotice;
    const text =
      kind === "capability"
        ? `Kimi does not do what Moonbridge assumed (${name}), so Moonbridge does without it. “moonbridge doctor” says what changed.`
        : `Kimi sent something that Moonbridge does not know (${kind} ${name}). Answers may lack something; the log has more.`;
    this.#notify({ event: "kimi_changed", text });
  }
}
