import { invalidParameter } from "../invalid-parameter.js";

/**
 * The `context` of an answer of `/api/generate`: the id of its conversation, in the form in which clients keep Ollama's and
 * send it back, a list of numbers.
 */
export function encodeContext(conversation: string): number[] {
  return [...Buffer.from(conversation, "latin1")];
}

/** The conversation that a `context` names. Throws `invalid_request` for one that is not of Moonbridge. */
export function decodeContext(context: readonly number[]): string {
  if (context.some((number) => number < 32 || number > 126))
    throw invalidParameter("context", "expected the context of an earlier answer of this server, or none");
  return Buffer.from(context).toString("latin1");
}
