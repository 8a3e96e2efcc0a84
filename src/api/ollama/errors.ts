import { GatewayError } from "../../core/errors.js";

/** Ollama's form of an error, also as the last line of a stream. */
export function errorBody(error: GatewayError): { error: string } {
  return { error: error.message };
}

/** A `model_not_found` in the words that Ollama's clients look for; other errors are returned unchanged. */
export function withModelName(error: unknown, model: string): unknown {
  if (!(error instanceof GatewayError) || error.code !== "model_not_found") return error;
  const shown = model.replace(/[^\w.:/@-]/g, "?").slice(0, 80);
  return new GatewayError("model_not_found", `model '${shown}' not found: ${error.message}`, {
    param: "model",
  });
}
