import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { clip, oneLine } from "../tools/one-line.js";

/** The error for an answer that is not of the format that the request demands. `problem`: the first finding. */
export function wrongFormatError(parameter: string, problem: string): GatewayError {
  const found = clip(oneLine(problem), limits.quotedCall);
  return new GatewayError(
    "upstream_protocol",
    `${parameter}: the model's answer is not of this format: ${found}. Send the request again, to another model, or ` +
      "with a simpler format.",
    // It was asked for again already.
    { param: parameter, retryable: false },
  );
}
