import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.js";
import type { HttpCall } from "./http-call.js";
import type { JsonObject } from "./json.js";

/**
 * Applies a fault of the HTTP response or the connection, which is the same over every protocol. `errorBody` builds the
 * body for an HTTP error status. True if the fault has replaced the answer; false if an answer must still be written.
 */
export async function applyTransportFault(
  call: HttpCall,
  fault: Fault | undefined,
  errorBody: (status: number) => JsonObject,
): Promise<boolean> {
  switch (fault?.kind) {
    case "http":
      call.response.writeHead(fault.status, {
        "content-type": "application/json",
        ...(fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) }),
      });
      call.response.end(fault.body ?? JSON.stringify(errorBody(fault.status)));
      return true;
    case "html":
      call.response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      call.response.end(
        "<!doctype html><title>Just a moment…</title><p>(Simulated) Checking your browser.</p>",
      );
      return true;
    case "cut-before":
      call.cut();
      return true;
    case "slow-start":
      await sleep(fault.milliseconds, undefined, { signal: call.stopSignal }).catch(() => {});
      return call.stopSignal.aborted;
    default:
      return false;
  }
}
