import type { IncomingHttpHeaders } from "node:http";
import type { ChatRequest } from "../core/types.js";
import { sessionAffinity } from "./session-affinity.js";
import { readTraceContext } from "./trace-context.js";

/** What the headers of a chat request say, in every dialect: its session and its trace. */
export function readRequestHeaders(headers: IncomingHttpHeaders): Pick<ChatRequest, "affinity" | "trace"> {
  return { ...sessionAffinity(headers), ...readTraceContext(headers) };
}
