/** Calls from the process that conducts the benchmark to the ones that take part in it, over Node's own channel. */

type Call = { id: number; name: string; argument: unknown };
type Answer = { id: number; result?: unknown; failure?: string };

// biome-ignore lint/suspicious/noExplicitAny: a handler decides itself what it takes and gives.
export type Handlers = Record<string, (argument: any) => unknown>;

/** Answers calls for as long as the channel is open, and ends the process with it. */
export function answerCalls(handlers: Handlers): void {
  process.on("message", async ({ id, name, argument }: Call) => {
    const answer: Answer = { id };
    try {
      answer.result = await handlers[name]?.(argument);
    } catch (error) {
      answer.failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    process.send?.(answer);
  });
  process.on("disconnect", () => process.exit());
}
