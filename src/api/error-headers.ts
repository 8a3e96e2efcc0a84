import type { GatewayError } from "../core/errors.js";

/** Headers by which SDKs decide whether and when to retry (clients.md §0.9, §7 row 15). */
export function errorHeaders(error: GatewayError): Record<string, string> {
  return {
    ...(error.retryable ? {} : { "x-should-retry": "false" }),
    ...(error.retryAfterSeconds === undefined ? {} : { "retry-after": String(error.retryAfterSeconds) }),
  };
}
