import { type DestinationStream, type Logger, pino } from "pino";
import { errorCode } from "../lib/error-code.js";
import { isObject, type JsonObject } from "../lib/json.js";

/**
 * The log: one JSON line an event, to standard error. Only what is passed field by field is written; headers,
 * bodies and URLs never are. Errors are cut down to their name, code and message, and nested ones are left out.
 */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  const options = {
    level,
    base: null,
    serializers: { err: safeError, error: safeError, req: () => undefined, res: () => undefined },
    formatters: { log: withoutSecrets },
  };
  return pino(options, destination);
}

/** Libraries log at trace what they are given, @fastify/multipart the headers of the request. */
const secrets = new Set(["headers", "authorization", "accessToken", "refreshToken", "token", "apiKey"]);

/** The fields of a line, and those inside them, without the ones that hold secrets by their name. */
function withoutSecrets(fields: JsonObject): Record<string, unknown> {
  const kept = harmless(fields).map(([name, value]) => [
    name,
    isObject(value) && hasSecret(value) ? Object.fromEntries(harmless(value)) : value,
  ]);
  return Object.fromEntries(kept);
}

function harmless(fields: JsonObject): [string, unknown][] {
  return Object.entries(fields).filter(([name]) => !secrets.has(name));
}

function hasSecret(fields: JsonObject): boolean {
  return Object.keys(fields).some((name) => secrets.has(name));
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
