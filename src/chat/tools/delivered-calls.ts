/** A call that is read in pieces. `repeatable`: the delivered ones that begin with the same arguments. */
type Streamed = { name: string; arguments: string; repeatable: readonly string[]; isSent: boolean };

/**
 * The calls that the client was given, so that none is given twice. A call that comes in pieces is held as long as it may be
 * one of them again.
 */
export class DeliveredCalls {
  readonly #calls: { name: string; arguments: string }[] = [];
  #streamed: Streamed | undefined;

  /** Whether the client has this very call. */
  has(name: string, text: string): boolean {
    return this.#calls.some((call) => call.name === name && call.arguments === text);
  }

  add(name: string, text: string): void {
    this.#calls.push({ name, arguments: text });
  }

  /** Begins a call in pieces. Returns whether it is to be sent at once. */
  start(name: string): boolean {
    const repeatable = this.#calls.filter((call) => call.name === name).map((call) => call.arguments);
    this.#streamed = { name, arguments: "", repeatable, isSent: repeatable.length === 0 };
    return this.#streamed.isSent;
  }

  /** Reads a piece of the arguments. `begin`: the call is to be sent from here on, with all of its arguments so far. */
  read(text: string): { begin: { name: string; arguments: string } } | { text: string } | undefined {
    const call = this.#streamed;
    if (!call) return undefined;
    const offset = call.arguments.length;
    call.repeatable = call.repeatable.filter((other) => other.startsWith(text, offset));
    call.arguments += text;
    if (call.isSent) return { text };
    if (call.repeatable.length > 0) return undefined;
    call.isSent = true;
    return { begin: { name: call.name, arguments: call.arguments } };
  }

  /** Forgets the call in pieces: nothing of it is to be sent. */
  drop(): void {
    this.#streamed = undefined;
  }

  /** Whether a part of the call in pieces was sent. */
  get isSending(): boolean {
    return this.#streamed?.isSent === true;
  }

  /** The call in pieces is complete. Returns whether it was a repetition, of which nothing was sent. */
  end(): boolean {
    const call = this.#streamed;
    this.#streamed = undefined;
    if (call?.isSent) this.add(call.name, call.arguments);
    return call?.isSent === false;
  }
}
