import type { IncomingHttpHeaders } from "node:http";
import type { TraceContext } from "../core/types.js";

/** In W3C Trace Context's form: version, trace id, parent id and flags; a later version may append fields. */
const traceparentForm = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-|$)/;

/** Vendors' entries, which are passed on as they are; the standard asks for 512 characters at least. */
const tracestateForm = /^[\x20-\x7e]{1,512}$/;

/** The trace that the client's request belongs to; empty unless its `traceparent` is well-formed. */
export function readTraceContext(headers: IncomingHttpHeaders): { trace?: TraceContext } {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string" || traceparent.length > 512) return {};
  const [, traceId] = traceparentForm.exec(traceparent) ?? [];
  if (traceId === undefined) return {};
  const hasState = typeof tracestate === "string" && tracestateForm.test(tracestate);
  return { trace: { traceId, traceparent, ...(hasState ? { tracestate } : {}) } };
}
