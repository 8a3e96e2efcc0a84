import type { FastifyReply } from "fastify";
import type { GatewayError } from "../../core/errors.js";
import type { EventSink } from "../../core/types.js";
import { startHeaders } from "./start-headers.js";
import { type StreamEncoder, streamAnswer } from "./stream-answer.js";
import { defaultStreamTimeouts, StreamResponse } from "./stream-response.js";

/**
 * Streams an answer as the reply of a route. Throws a failure before the status line; returns a later one, for the log.
 * `visibleErrors`: writes it as text, too. `keepAlive`: milliseconds of silence after which something is sent.
 */
export async function streamReply(
  reply: FastifyReply,
  answer: (sink: EventSink) => Promise<void>,
  encoder: StreamEncoder,
  options: { visibleErrors: boolean; keepAlive?: number },
): Promise<GatewayError | undefined> {
  const { keepAlive = defaultStreamTimeouts.keepAlive } = options;
  const stream = new StreamResponse(
    reply.raw,
    { ...defaultStreamTimeouts, keepAlive },
    {
      contentType: encoder.contentType,
      headers: () => {
        reply.hijack();
        return { ...stringHeaders(reply.getHeaders()), ...startHeaders(encoder.start) };
      },
      keepAlive: () => encoder.encodeKeepAlive(),
    },
  );
  return streamAnswer(answer, encoder, stream, options);
}

function stringHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
