import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.js";
import type { Visit } from "./http-call.js";
import type { JsonObject } from "./json.js";

/**
 * The faults that leave no answer to speak of and look alike over every protocol; `failure` is the body of a failed
 * status. True if one of them was the answer.
 */
export async function strikes(
  visit: Visit,
  fault: Fault | undefined,
  failure: (status: number) => JsonObject,
): Promise<boolean> {
  switch (fault?.kind) {
    case "http":
      visit.response.writeHead(fault.status, {
        "content-type": "application/json",
        ...(fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }),
      });
      visit.response.end(fault.body ?? JSON.stringify(failure(fault.status)));
      return true;
    case "html":
      visit.response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      visit.response.end(
        "<!doctype html><title>Just a moment…</title><p>(Simulated) Checking your browser.</p>",
      );
      return true;
    case "cut-before":
      visit.cut();
      return true;
    case "slow-start":
      await sleep(fault.milliseconds, undefined, { signal: visit.stopped }).catch(() => {});
      return visit.stopped.aborted;
    default:
      return false;
  }
}
