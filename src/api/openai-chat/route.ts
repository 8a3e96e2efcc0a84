import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { Chat } from "../../chat/chat-service.js";
import type { ApiOptions } from "../context.js";
import { defaultStreamTimes, EventStream } from "../stream/sse-response.js";
import { relay } from "../stream/stream-answer.js";
import { ChunkEncoder, CompletionEncoder, type StartEvent } from "./encode.js";
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

/** `POST /v1/chat/completions` (design §3, §4). */
export function chatCompletions(chat: Chat, options: ApiOptions): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post("/v1/chat/completions", { schema }, async (request, reply) => {
      const asked = parseChatCompletion(request.body, {
        unknownParameters: options.unknownParameters,
        caller: request.caller,
        signal: request.stop,
      });
      if (!asked.stream) {
        const encoder = new CompletionEncoder();
        await chat.answer(asked, (events) => encoder.hear(events));
        return reply
          .headers(startHeaders(encoder.start))
          .type("application/json; charset=utf-8")
          .send(encoder.body());
      }
      const encoder = new ChunkEncoder(asked.includeUsage);
      const stream = new EventStream(reply.raw, defaultStreamTimes, {
        headers: () => {
          reply.hijack();
          return { ...plainHeaders(reply.getHeaders()), ...startHeaders(encoder.start) };
        },
        keepAlive: ": keep-alive\n\n",
      });
      request.failure = await relay((tell) => chat.answer(asked, tell), encoder, stream);
      return reply;
    });
  };
}

/** Who answers, and what of the request is not heeded. */
function startHeaders(start: StartEvent | undefined): Record<string, string> {
  if (!start) return {};
  const ignored = start.ignored.join(", ").slice(0, 1_000);
  return { "x-moonbridge-upstream": start.upstream, ...(ignored ? { "x-moonbridge-ignored": ignored } : {}) };
}

function plainHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
