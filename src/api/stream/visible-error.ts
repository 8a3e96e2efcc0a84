import type { GatewayError } from "../../core/errors.js";

/**
 * The failure as a paragraph of the answer, for clients that ignore error events and would show a cut answer as a whole
 * one (clients.md §0.1).
 */
export function visibleErrorText(error: GatewayError): string {
  return `\n\n**Moonbridge:** the answer is incomplete. ${error.message}`;
}
