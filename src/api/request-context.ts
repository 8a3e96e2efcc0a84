import type { GatewayError } from "../core/errors.js";
import type { RequestRecord } from "../core/request-record.js";
import type { Principal } from "../core/types.js";
import type { TextSealer } from "../lib/text-sealer.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The authenticated API key. */
    principal: Principal;
    /** Aborts when the client disconnects or the server stops. */
    stopSignal: AbortSignal;
    /** Why the request failed, for the log. */
    failure: GatewayError | undefined;
    /** What is noted of it for the log. */
    record: RequestRecord;
  }
}

/**
 * Server settings that apply to every dialect (API format), such as OpenAI's chat completions. `visibleErrors`: whether
 * the failure of a stream is also written as text, unless the key says otherwise. `sealer`: for what clients keep for the server.
 * `origins`: those of `server.cors`.
 */
export type ApiOptions = {
  unknownParameters: "reject" | "ignore";
  visibleErrors: boolean;
  sealer: TextSealer;
  origins: readonly string[];
};
