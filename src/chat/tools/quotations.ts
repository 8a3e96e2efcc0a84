import type { Message } from "../../core/types.js";
import type { ToolAliases } from "./tool-aliases.js";

/**
 * Calls in foreign forms that stand in what the model was given to read. If the model writes one of them, it is a quotation
 * and no call.
 */
export class Quotations {
  constructor(_messages: readonly Message[], _aliases: ToolAliases) {}

  /** A further text that the model reads during its answer, such as a search snippet. */
  add(_text: string): void {}

  /** Whether the model has read a call of this function with these arguments, a JSON object as text. */
  isQuotation(_name: string, _canonicalArguments: string): boolean {
    return false;
  }
}
