import { GatewayError } from "../core/errors.js";
import { type JsonObject, parseObject } from "../lib/json.js";

/**
 * The arguments of a call by the model, for dialects that send them as an object. Throws `upstream_protocol` if the text is no
 * JSON object.
 */
export function parseCallArguments(name: string, text: string): JsonObject {
  const parsed = parseObject(text);
  if (parsed) return parsed;
  const message = `The model called “${name.slice(0, 64)}” with arguments that are no JSON object. Send the message again.`;
  throw new GatewayError("upstream_protocol", message);
}
