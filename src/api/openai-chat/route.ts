import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { DialectContext } from "../dialect.js";
import { sessionAffinity } from "../session-affinity.js";
import { defaultSseTimeouts, SseResponse } from "../stream/sse-response.js";
import { streamAnswer } from "../stream/stream-answer.js";
import { ChunkEncoder, CompletionEncoder, createCompletionId, type StartEvent } from "./encode.js";
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
      const chatRequest = { ...parsed, ...sessionAffinity(request.headers), responseId };
      if (!chatRequest.stream) {
        const encoder = new CompletionEncoder(responseId);
        await chat.answer(chatRequest, (events) => encoder.onEvents(events));
        return reply
          .headers(startHeaders(encoder.start))
          .type("application/json; charset=utf-8")
          .send(encoder.toJson());
      }
      const encoder = new ChunkEncoder(chatRequest.usage !== "none", responseId);
      const stream = new SseResponse(reply.raw, defaultSseTimeouts, {
        headers: () => {
          reply.hijack();
          return { ...stringHeaders(reply.getHeaders()), ...startHeaders(encoder.start) };
        },
        keepAliveComment: ": keep-alive\n\n",
      });
      const { visibleErrors = options.visibleErrors } = request.principal;
      request.failure = await streamAnswer((sink) => chat.answer(chatRequest, sink), encoder, stream, {
        visibleErrors,
      });
      return reply;
    });
  };
}

/** Headers that name the upstream and the request's parameters that it ignores. */
function startHeaders(start: StartEvent | undefined): Record<string, string> {
  if (!start) return {};
  const ignored = start.ignored.join(", ").slice(0, 1_000);
  return { "x-moonbridge-upstream": start.upstream, ...(ignored ? { "x-moonbridge-ignored": ignored } : {}) };
}

function stringHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
