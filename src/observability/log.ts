import { type DestinationStream, type Logger, pino } from "pino";
import { errorCode } from "../lib/error-code.js";
import { isObject, type JsonObject } from "../lib/json.js";
import { escapeControls } from "../lib/terminal-text.js";
import type { LogTail } from "./log-tail.js";
import { toTerminalLogLine } from "./terminal-lines.js";

/**
 * Creates the log: one JSON line per event, to standard error by default; there, a terminal shows lines for people. Headers, bodies and URLs are never written.
 * `tail` gets each line, too. Errors are reduced to their name, code and upstream code: messages and causes may quote content.
 */
export function createLog(
  level: string,
  destination: DestinationStream = standardError(),
  tail?: LogTail,
): Logger {
  const options = {
    level,
    base: null,
    serializers: { err: safeError, error: safeError, req: () => undefined, res: () => undefined },
    formatters: { log: withoutSecrets },
    // The log is read on terminals, and names of Kimi's are in it.
    hooks: { streamWrite: escapeControls },
  };
  if (!tail) return pino(options, destination);
  const write = (line: string) => {
    destination.write(line);
    tail.add(line);
  };
  return pino(options, { write });
}

function standardError(): DestinationStream {
  const { stderr } = process;
  if (!stderr.isTTY) return pino.destination(2);
  return { write: (line) => stderr.write(toTerminalLogLine(line, stderr.hasColors())) };
}

/** Fields that are dropped: libraries log their arguments, request headers among them. */
const secretFields = new Set(["headers", "authorization", "accessToken", "refreshToken", "token", "apiKey"]);

/** Drops secret fields of a line, to a depth of two. */
function withoutSecrets(fields: JsonObject): Record<string, unknown> {
  const kept = entriesWithoutSecrets(fields).map(([name, value]) => [
    name,
    isObject(value) && hasSecretField(value) ? Object.fromEntries(entriesWithoutSecrets(value)) : value,
  ]);
  return Object.fromEntries(kept);
}

function entriesWithoutSecrets(fields: JsonObject): [string, unknown][] {
  return Object.entries(fields).filter(([name]) => !secretFields.has(name));
}

function hasSecretField(fields: JsonObject): boolean {
  return Object.keys(fields).some((name) => secretFields.has(name));
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
