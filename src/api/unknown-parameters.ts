import { GatewayError } from "../core/errors.js";
import { nearestName } from "../lib/nearest-name.js";

/**
 * The refusal of a parameter that no known client sends, with the known name that was probably meant. `path` is the
 * parameter as the client wrote it: `temprature`, `options.temprature`; `known` are the names of the dialect.
 */
export function unknownParameterError(path: string, known: readonly string[]): GatewayError {
  const shown = printableName(path);
  const meant = findNearName(shown.split(".").at(-1) ?? shown, known);
  const guess = meant === undefined ? "" : ` Did you mean “${meant}”?`;
  return new GatewayError(
    "unknown_parameter",
    `There is no parameter “${shown}”.${guess} Remove it, or set server.unknownParameters to "ignore".`,
    { param: shown },
  );
}

/** The known name that differs from this one by one edit in four characters at most; undefined if there is none. */
function findNearName(name: string, known: readonly string[]): string | undefined {
  const allowedEdits = (plain: string) => Math.floor(plain.length / 4);
  return nearestName(name, known, { plain: plainName, allowedEdits });
}

/** A name from the client, of a parameter or a type, made safe for messages and headers. */
export function printableName(name: string): string {
  return name.replace(/[^\w.-]/g, "?").slice(0, 64);
}

/** The name as other conventions also write it: `maxTokens` and `max-tokens` are `maxtokens`. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, "");
}
