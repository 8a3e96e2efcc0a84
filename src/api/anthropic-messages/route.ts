import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { countRequestTokens } from "../../chat/token-count.js";
import type { EventSink } from "../../core/types.js";
import type { DialectContext } from "../dialect.js";
import { readIdempotency } from "../idempotency.js";
import { readRequestHeaders } from "../request-headers.js";
import { startHeaders } from "../stream/start-headers.js";
import { streamReply } from "../stream/stream-reply.js";
import { showsErrors } from "../stream/visible-error.js";
import { MessageCollector } from "./collect.js";
import { MessageEncoder } from "./encode.js";
import { parseMessagesRequest, parsePrompt } from "./parse.js";
import { CountBody, MessagesBody } from "./schema.js";
import { Seals } from "./seals.js";
import { omitsThinking } from "./thinking.js";

const messagesSchema = {
  tags: ["chat"],
  summary: "Anthropic's Messages: streaming and not",
  description:
    "As Claude Code and Anthropic's SDKs use it. Any anthropic-version is accepted, and unknown fields are ignored. " +
    "Parameters that the upstream cannot honour are named in the response header x-moonbridge-ignored.",
  body: MessagesBody,
};
const countSchema = {
  tags: ["chat"],
  summary: "Anthropic's Messages: the tokens of a request, estimated",
  body: CountBody,
};

/** `POST /v1/messages`, streaming and not, and the count of its input, which asks no upstream. */
export function messagesRoutes({ chat, options, rateLimit }: DialectContext): FastifyPluginAsyncTypebox {
  const seals = new Seals(options.sealer);
  return async (app) => {
    app.post("/v1/messages", { schema: messagesSchema, onRequest: rateLimit }, async (request, reply) => {
      const { body, principal, stopSignal: signal } = request;
      const parsed = parseMessagesRequest(body, { principal, signal, seals });
      const chatRequest = { ...parsed, ...readRequestHeaders(request.headers), ...readIdempotency(request) };
      const encoding = {
        seals,
        showsSearches: chatRequest.search === true,
        omitsThinking: omitsThinking(body),
        model: body.model,
      };
      if (!chatRequest.stream) {
        const collector = new MessageCollector(encoding);
        await chat.answer(chatRequest, (events) => collector.onEvents(events), request.record);
        const json = collector.toJson();
        return reply
          .headers(startHeaders(collector.start))
          .type("application/json; charset=utf-8")
          .send(json);
      }
      const visibleErrors = showsErrors(chatRequest, options.visibleErrors);
      const encoder = new MessageEncoder({ ...encoding, requestId: request.id });
      const answer = (sink: EventSink) => chat.answer(chatRequest, sink, request.record);
      request.failure = await streamReply(reply, answer, encoder, { visibleErrors });
      return reply;
    });

    app.post("/v1/messages/count_tokens", { schema: countSchema }, async ({ body }) => ({
      input_tokens: await countRequestTokens(parsePrompt(body, seals)),
    }));
  };
}
