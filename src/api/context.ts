import type { GatewayError } from "../core/errors.js";
import type { Principal } from "../core/types.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose key the request came with. */
    caller: Principal;
    /** Fires when the client leaves or the server stops. */
    stop: AbortSignal;
    /** What went wrong, for the log. */
    failure: GatewayError | undefined;
  }
}

/** What a dialect needs to know of the server it runs in. */
export type ApiOptions = { unknownParameters: "reject" | "ignore" };
