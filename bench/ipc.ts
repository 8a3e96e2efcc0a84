/** Calls from the benchmark's main process to its child processes, over Node's IPC channel. `child.ts` sends them. */

/** A request for the handler `name`. `id` is the same in the result. */
type Call = { id: number; name: string; argument: unknown };
/** What the handler returned, or the stack of what it threw. */
export type CallResult = { id: number; result?: unknown; error?: string };

/** Handlers by name; each takes one argument and returns the result, or a promise of it. */
// biome-ignore lint/suspicious/noExplicitAny: each handler has its own types of argument and result.
export type Handlers = Record<string, (argument: any) => unknown>;

/** Handles calls while the channel is open; ends the process when it closes. */
export function handleCalls(handlers: Handlers): void {
  process.on("message", async ({ id, name, argument }: Call) => {
    const callResult: CallResult = { id };
    try {
      callResult.result = await handlers[name]?.(argument);
    } catch (thrown) {
      callResult.error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    process.send?.(callResult);
  });
  process.on("disconnect", () => process.exit());
}
