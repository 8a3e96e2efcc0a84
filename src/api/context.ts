import type { Caller } from "../chat/types.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose key the request came with. */
    caller: Caller;
    /** Fires when the client leaves or the server stops. */
    stop: AbortSignal;
    /** The stable code of what went wrong, for the log. */
    failure: string | undefined;
  }
}

/** What a dialect needs to know of the server it runs in. */
export type ApiOptions = { unknownParameters: "reject" | "ignore" };
