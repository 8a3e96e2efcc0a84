import type { GatewayError } from "../../core/errors.js";
import type { ChatRequest } from "../../core/types.js";

/**
 * The failure as a paragraph of the answer, for clients that ignore error events and would show a cut answer as a whole
 * one (clients.md §0.1).
 */
export function visibleErrorText(error: GatewayError): string {
  return `\n\n**Moonbridge:** the answer is incomplete. ${error.message}`;
}

/**
 * Whether a failure of the request's stream is also written as text: as its key says, else `byDefault`; never into an answer of
 * a format, which programs parse.
 */
export function showsErrors(
  { responseFormat, principal }: Pick<ChatRequest, "responseFormat" | "principal">,
  byDefault: boolean,
): boolean {
  return responseFormat === undefined && (principal.visibleErrors ?? byDefault);
}
