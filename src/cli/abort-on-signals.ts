import { setMaxListeners } from "node:events";

/**
 * A signal that SIGINT or SIGTERM aborts with this reason, so that a command can clean up; a second one exits at once. Any
 * number of listeners may wait for it.
 */
export function abortOnSignals(reason: Error): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const abort = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(reason);
  };
  process.on("SIGINT", abort);
  process.on("SIGTERM", abort);
  return controller.signal;
}
