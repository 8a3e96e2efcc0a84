import type { AccountReport } from "../admin/accounts.js";
import { limits } from "../core/limits.js";
import type { Notification } from "./notifier.js";

/** Notices when an account needs a new login, and when it works again. Looks at local state only, and sends nothing upstream. */
export class AccountWatch {
  readonly #reports: () => readonly Pick<AccountReport, "upstream" | "status">[];
  readonly #notify: (notification: Notification) => void;
  readonly #timer: NodeJS.Timeout;
  /** Upstreams whose login was found dead. */
  readonly #dead = new Set<string>();

  constructor(
    reports: () => readonly Pick<AccountReport, "upstream" | "status">[],
    notify: (notification: Notification) => void,
  ) {
    this.#reports = reports;
    this.#notify = notify;
    this.#timer = setInterval(() => this.check(), limits.accountWatch).unref();
  }

  /** Compares the accounts with those of the last time. */
  check(): void {
    const reports = this.#reports();
    for (const { upstream, status } of reports) {
      const isDead = status.state === "login required";
      if (isDead === this.#dead.has(upstream)) continue;
      if (isDead) {
        this.#dead.add(upstream);
        this.#notify({ event: "login_required", upstream, text: `${upstream}: ${status.detail}` });
      } else {
        this.#dead.delete(upstream);
        this.#notify({ event: "login_works", upstream, text: `${upstream}: the login works again.` });
      }
    }
    const names = new Set(reports.map(({ upstream }) => upstream));
    for (const upstream of this.#dead) if (!names.has(upstream)) this.#dead.delete(upstream);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
