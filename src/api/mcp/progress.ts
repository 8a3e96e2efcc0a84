import type { ServerContext } from "@modelcontextprotocol/server";
import type { ChatEvent } from "../../core/types.js";

/** Milliseconds between two notifications, unless something new begins. */
const interval = 1_000;
/** Milliseconds of silence after which one is sent: clients give up a call without progress after a minute. */
const silence = 5_000;
/** Characters of the queries in a notification. */
const maxQueries = 200;

/** Tells a client that has asked for it how far a call is. `progress` counts the notifications, since no end is known. */
export class ProgressReporter {
  readonly #request: ServerContext["mcpReq"];
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #sentAt = 0;
  #phase = "";
  #characters = 0;

  constructor(request: ServerContext["mcpReq"]) {
    this.#request = request;
    if (request._meta?.progressToken === undefined) return;
    this.#timer = setInterval(() => {
      const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
      if (performance.now() - this.#sentAt >= silence - 100)
        this.#send(`${this.#phase || "Waiting for Kimi"} (${seconds} s)`);
    }, silence);
    this.#timer.unref();
  }

  onEvent(event: ChatEvent): void {
    if (this.#timer === undefined) return;
    switch (event.type) {
      case "search":
        this.#enter(`Searching: ${event.queries.join(" · ").slice(0, maxQueries)}`);
        return;
      case "service-tool":
        this.#enter(`Kimi uses ${event.name}`);
        return;
      case "reasoning":
        this.#enter("Thinking");
        return;
      case "text":
        this.#characters += event.text.length;
        this.#enter("Answering");
        if (performance.now() - this.#sentAt >= interval)
          this.#send(`Answering: ${this.#characters} characters`);
        return;
      default:
        return;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #enter(phase: string): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#send(phase);
  }

  #send(message: string): void {
    const progressToken = this.#request._meta?.progressToken;
    if (progressToken === undefined) return;
    this.#count += 1;
    this.#sentAt = performance.now();
    // A client that has left is noticed by the signal of the call.
    this.#request
      .notify({
        method: "notifications/progress",
        params: { progressToken, progress: this.#count, message },
      })
      .catch(() => {});
  }
}
