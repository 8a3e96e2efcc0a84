import type { CallToolResult } from "@modelcontextprotocol/server";
import type { GatewayError } from "../../core/errors.js";

/** Codes of JSON-RPC 2.0; the last one begins the range for errors of a server's own. */
const invalidRequest = -32_600;
const internalError = -32_603;
const serverError = -32_000;

/** A request that is refused before its JSON-RPC messages are read, so that the error belongs to none of them. */
export function errorBody(error: GatewayError): object {
  const { code, message, param, retryAfterSeconds } = error;
  return {
    jsonrpc: "2.0",
    id: null,
    error: {
      code: numberOf(code),
      message,
      data: {
        code,
        ...(param === undefined ? {} : { param }),
        ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
      },
    },
  };
}

/** A call that failed: the model reads the sentence, the code and whether a retry helps; programs read `_meta`. */
export function errorResult(error: GatewayError): CallToolResult {
  const { code, retryable, retryAfterSeconds } = error;
  const seconds = retryAfterSeconds === undefined ? "" : ` in ${retryAfterSeconds} s`;
  const advice = retryable
    ? `trying again${seconds} may help`
    : "trying again without a change does not help";
  return {
    isError: true,
    content: [{ type: "text", text: `${messageOf(error)} (${code}: ${advice})` }],
    _meta: {
      "moonbridge/error": {
        code,
        retryable,
        ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
      },
    },
  };
}

/** A tool has no history that could be sent in place of a conversation. */
function messageOf({ code, message }: GatewayError): string {
  return code === "conversation_not_found"
    ? "conversation_id: this conversation is unknown here or has expired, or its last answer was stopped. Leave conversation_id out to begin a new one, and say again what matters."
    : message;
}

function numberOf(code: GatewayError["code"]): number {
  if (code === "invalid_request") return invalidRequest;
  return code === "internal" ? internalError : serverError;
}
