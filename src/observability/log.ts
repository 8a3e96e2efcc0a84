import { type DestinationStream, type Logger, pino } from "pino";
import { errorCode } from "../error-code.js";

/**
 * The log: one JSON line an event, to standard error. Only what is passed field by field is written; headers,
 * bodies and URLs never are. Errors are cut down to their name, code and message, and nested ones are left out.
 */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  const options = {
    level,
    base: null,
    serializers: { err: safeError, error: safeError, req: () => undefined, res: () => undefined },
    redact: {
      // Libraries log at trace what they are given, @fastify/multipart the headers of the request.
      paths: [
        "headers",
        "*.headers",
        "*.authorization",
        "*.accessToken",
        "*.refreshToken",
        "*.token",
        "*.apiKey",
        "*.key_value",
      ],
      remove: true,
    },
  };
  return pino(options, destination);
}

function safeError(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = errorCode(error);
  const upstream =
    "upstreamCode" in error && typeof error.upstreamCode === "string" ? error.upstreamCode : undefined;
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    ...(upstream ? { upstreamCode: upstream } : {}),
  };
}
