import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { EventSink } from "../../core/types.js";
import type { DialectContext } from "../dialect.js";
import { readIdempotency } from "../idempotency.js";
import { readRequestHeaders } from "../request-headers.js";
import { startHeaders } from "../stream/start-headers.js";
import { streamReply } from "../stream/stream-reply.js";
import { showsErrors } from "../stream/visible-error.js";
import { callFormOf } from "./call-fields.js";
import { ChunkEncoder, CompletionEncoder, createCompletionId } from "./encode.js";
import { parseChatCompletion } from "./parse.js";
import { ChatCompletionBody } from "./schema.js";

const example = {
  model: "kimi",
  stream: false,
  messages: [{ role: "user", content: "天空为什么不是红色？" }],
};

const schema = {
  summary: "Chat completion, streaming and not",
  description:
    "OpenAI's chat completions. Also answers at /v1/chat/completitions (the original's spelling) and without /v1. " +
    "Parameters that the upstream cannot honour are named in the response header x-moonbridge-ignored.",
  tags: ["chat"],
  body: Type.Composite([ChatCompletionBody], { examples: [example] }),
};

/** `POST /v1/chat/completions`, streaming and not (docs/decisions/0004-honest-endings.md). */
export function chatCompletionsRoute({
  chat,
  options,
  rateLimit,
}: DialectContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post("/v1/chat/completions", { schema, onRequest: rateLimit }, async (request, reply) => {
      const parsed = parseChatCompletion(request.body, {
        unknownParameters: options.unknownParameters,
        principal: request.principal,
        signal: request.stopSignal,
      });
      const responseId = createCompletionId();
      const callForm = callFormOf(request.body);
      const chatRequest = {
        ...parsed,
        ...readRequestHeaders(request.headers),
        ...readIdempotency(request),
        responseId,
      };
      if (!chatRequest.stream) {
        const encoder = new CompletionEncoder(responseId, callForm);
        await chat.answer(chatRequest, (events) => encoder.onEvents(events), request.record);
        return reply
          .headers(startHeaders(encoder.start))
          .type("application/json; charset=utf-8")
          .send(encoder.toJson());
      }
      const encoder = new ChunkEncoder(chatRequest.usage !== "none", responseId, callForm);
      const visibleErrors = showsErrors(chatRequest, options.visibleErrors);
      const answer = (sink: EventSink) => chat.answer(chatRequest, sink, request.record);
      request.failure = await streamReply(reply, answer, encoder, { visibleErrors });
      return reply;
    });
  };
}
