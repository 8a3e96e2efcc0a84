import { GatewayError } from "../core/errors.js";

/** `invalid_request` for the parameter or field at this path; `expectation` is a clause without its full stop. */
export function invalidParameter(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
