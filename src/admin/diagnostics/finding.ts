import { ConfigError } from "../../config/validate.js";
import { Deadline } from "../../core/deadline.js";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { StoreError } from "../../store/sqlite/store.js";

/** What a check has found, in words for the person; never a token, a key or anybody's name in it. */
export type Finding = { what: string; state: "ok" | "warn" | "fail"; detail: string; remedy?: string };

/** One check. It ends when its signal fires, once it has put away what it had begun. */
type Check = (signal: AbortSignal) => Promise<Finding[]>;

/**
 * The findings of a check, its failure or its lateness among them; never rejects. None if `signal` fires, which says
 * that nobody wants them any more.
 */
export async function look(what: string, signal: AbortSignal, check: Check): Promise<Finding[]> {
  const deadline = new Deadline(signal, limits.doctorCheck, tooLate);
  try {
    deadline.signal.throwIfAborted();
    const findings = await Promise.race([check(deadline.signal), longAfter(deadline.signal)]);
    return signal.aborted ? [] : findings;
  } catch (error) {
    return signal.aborted ? [] : [{ what, state: "fail", detail: sentence(error) }];
  } finally {
    deadline.clear();
  }
}

/** What went wrong; only our own errors are sure to quote nothing. */
export function sentence(error: unknown): string {
  if (error instanceof GatewayError || error instanceof ConfigError || error instanceof StoreError)
    return error.message;
  const name = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error && "code" in error ? ` ${String(error.code)}` : "";
  return `Moonbridge could not make this check (${name}${code}).`;
}

/** Rejects once a check that was called off has had its time to put things away. */
function longAfter(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const wait = () => setTimeout(() => reject(signal.reason), limits.doctorLastWords);
    signal.addEventListener("abort", wait, { once: true });
  });
}

function tooLate(): GatewayError {
  return new GatewayError("timeout", `This took more than ${limits.doctorCheck / 1_000} s and was given up.`);
}
