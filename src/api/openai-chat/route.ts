import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { Chat } from "../../chat/chat.js";
import type { ChatEvent } from "../../chat/types.js";
import type { ApiOptions } from "../context.js";
import { defaultStreamTimes, EventStream } from "../event-stream.js";
import { relay } from "../relay.js";
import { ChunkEncoder, CompletionEncoder } from "./encode.js";
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
      const { chat: asked, includeUsage } = parseChatCompletion(request.body, {
        unknownParameters: options.unknownParameters,
        caller: request.caller,
        signal: request.stop,
      });
      const headers: Record<string, string> = {};
      const answer = noteStart(chat.answer(asked), headers);

      if (!asked.stream) {
        const encoder = new CompletionEncoder();
        for await (const events of answer) encoder.hear(events);
        return reply.headers(headers).type("application/json; charset=utf-8").send(encoder.body());
      }
      const stream = new EventStream(reply.raw, defaultStreamTimes, {
        headers: () => {
          reply.hijack();
          return { ...plainHeaders(reply.getHeaders()), ...headers };
        },
        keepAlive: ": keep-alive\n\n",
      });
      request.failure = await relay(answer, new ChunkEncoder(includeUsage), stream);
      return reply;
    });
  };
}

/** Fills `headers` from the answer's start on its way through. */
async function* noteStart(
  answer: AsyncIterable<readonly ChatEvent[]>,
  headers: Record<string, string>,
): AsyncGenerator<readonly ChatEvent[]> {
  for await (const events of answer) {
    const first = events[0];
    if (first?.type === "start") {
      headers["x-moonbridge-upstream"] = first.upstream;
      const { ignored } = first;
      // Another upstream may have taken over.
      delete headers["x-moonbridge-ignored"];
      if (ignored.length > 0) headers["x-moonbridge-ignored"] = ignored.join(", ").slice(0, 1_000);
    }
    yield events;
  }
}

function plainHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
