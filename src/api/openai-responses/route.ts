import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatRequest, EventSink } from "../../core/types.js";
import type { DialectContext } from "../dialect.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readRequestHeaders } from "../request-headers.js";
import { startHeaders } from "../stream/start-headers.js";
import { streamReply } from "../stream/stream-reply.js";
import { showsErrors } from "../stream/visible-error.js";
import { CompactionItems, itemsToCompact, keptMessages, summaryRequest } from "./compaction.js";
import { type EncodeOptions, ResponseCollector, ResponseStreamEncoder } from "./encode.js";
import { failsStream } from "./errors.js";
import { createResponseId } from "./ids.js";
import { type PlacedItem, placeItems } from "./input-items.js";
import { inputItemsPage } from "./input-items-page.js";
import { AnswerItems } from "./output-items.js";
import { parseResponses } from "./parse.js";
import { includes, ResponseMetadata, type ResponseObject, usageObject } from "./response-object.js";
import { CompactBody, InputItemsQuery, ResponseParams, ResponsesBody } from "./schema.js";
import { seal } from "./sealed-items.js";
import { type EarlierItems, StoredResponses } from "./stored-responses.js";

const tags = ["chat"];

/** OpenAI's Responses API (clients.md §4.2, §7 rows 49 to 53). */
export function responsesRoutes(context: DialectContext): FastifyPluginAsyncTypebox {
  const { responses, options, rateLimit } = context;
  const stored = new StoredResponses({ ...responses, sealer: options.sealer });
  return async (app) => {
    const create = { tags, summary: "A response, streaming and not", body: ResponsesBody };
    app.post("/v1/responses", { schema: create, onRequest: rateLimit }, (request, reply) =>
      createResponse({ ...context, stored }, request, reply, request.body),
    );
    const compact = { tags, summary: "A conversation, compacted", body: CompactBody };
    app.post("/v1/responses/compact", { schema: compact, onRequest: rateLimit }, (request, reply) =>
      compactConversation({ ...context, stored }, request, reply, request.body),
    );
    const one = { tags, params: ResponseParams };
    const getOne = { ...one, summary: "A stored response" };
    app.get("/v1/responses/:id", { schema: getOne }, async ({ principal, params, query }) => {
      if (new URLSearchParams(Object(query)).get("stream") === "true")
        throw invalidParameter("stream", "a stored response is not streamed; leave it out");
      return (await stored.get(principal.keyName, params.id)).response;
    });
    const remove = { ...one, summary: "Delete a stored response" };
    app.delete("/v1/responses/:id", { schema: remove }, async ({ principal, params: { id } }) => {
      await stored.remove(principal.keyName, id);
      return { id, object: "response.deleted", deleted: true };
    });
    const list = { ...one, querystring: InputItemsQuery, summary: "The input of a stored response" };
    app.get("/v1/responses/:id/input_items", { schema: list }, async ({ principal, params, query }) =>
      inputItemsPage((await stored.get(principal.keyName, params.id)).input, query),
    );
  };
}

type RouteContext = DialectContext & { stored: StoredResponses };

/** What a request is about: its own items, and those of the answers that it continues. */
type Conversation = { own: readonly PlacedItem[]; all: readonly PlacedItem[]; conversation?: string };

async function readConversation(
  { stored }: RouteContext,
  owner: string,
  { input, previous_response_id: previous }: Pick<CompactBody, "input" | "previous_response_id">,
): Promise<Conversation> {
  const own = await stored.resolveReferences(owner, placeItems(input));
  const earlier: EarlierItems = previous
    ? await stored.itemsUpTo(owner, previous)
    : { items: [], conversation: undefined };
  const { conversation } = earlier;
  return { own, all: [...earlier.items, ...own], ...(conversation === undefined ? {} : { conversation }) };
}

async function createResponse(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  body: ResponsesBody,
): Promise<FastifyReply> {
  const { options } = context;
  const { principal, stopSignal: signal } = request;
  const conversation = await readConversation(context, principal.keyName, body);
  const id = createResponseId();
  const metadata = new ResponseMetadata(id, body);
  const compacted = itemsToCompact(conversation.all);
  const shared = { principal, signal, sealer: options.sealer };
  if (compacted) {
    const chat = summaryRequest(body, { ...shared, items: compacted });
    const items = new CompactionItems(id, options.sealer);
    return answer(
      context,
      { request, reply, body, conversation, chat },
      { metadata, items, showsSearches: false },
    );
  }
  const { chat, tools } = parseResponses(body, { ...shared, items: conversation.all });
  const showsSearches = chat.search === true;
  const items = new AnswerItems({
    responseId: id,
    tools,
    showsSearches,
    showsSources: includes(body, "web_search_call.action.sources"),
    sealReasoning: includes(body, "reasoning.encrypted_content")
      ? (text) => seal(options.sealer, "reasoning", text)
      : undefined,
  });
  return answer(context, { request, reply, body, conversation, chat }, { metadata, items, showsSearches });
}

type Turn = {
  request: FastifyRequest;
  reply: FastifyReply;
  body: ResponsesBody;
  conversation: Conversation;
  chat: ChatRequest;
};

async function answer(
  context: RouteContext,
  { request, reply, body, conversation, chat }: Turn,
  encoding: EncodeOptions,
): Promise<FastifyReply> {
  const { metadata } = encoding;
  const chatRequest = toChatRequest(chat, request, { id: metadata.id, conversation });
  const keep = (response: ResponseObject) =>
    keepResponse(context, { request, body, conversation, response }, metadata);
  if (!chatRequest.stream) {
    const collector = new ResponseCollector(encoding);
    await context.chat.answer(chatRequest, (events) => collector.onEvents(events), request.record);
    await keep(collector.response());
    return reply
      .headers(startHeaders(collector.start))
      .type("application/json; charset=utf-8")
      .send(JSON.stringify(collector.response()));
  }
  const encoder = new ResponseStreamEncoder(encoding);
  const visibleErrors = showsErrors(chatRequest, context.options.visibleErrors);
  const send = async (sink: EventSink) => {
    try {
      const keepThenSend: EventSink = (events) => {
        if (events.at(-1)?.type !== "finish") return sink(events);
        return keep(encoder.prepareEnd(events)).then(() => sink(events));
      };
      await context.chat.answer(chatRequest, keepThenSend, request.record);
    } catch (error) {
      if (error instanceof GatewayError && failsStream(error, request.headers.accept)) {
        encoder.beginWithNextBatch();
        await sink([]);
      }
      throw error;
    }
  };
  request.failure = await streamReply(reply, send, encoder, {
    visibleErrors,
    keepAlive: limits.responseKeepAlive,
  });
  return reply;
}

/**
 * The request as it is answered: within its conversation, if it goes on after a stored answer. Without an answer in its
 * messages, as behind a compacted history, the conversation is not named: its end may be another branch of it.
 */
function toChatRequest(
  chat: ChatRequest,
  { headers }: FastifyRequest,
  { id, conversation }: { id: string; conversation: Conversation },
): ChatRequest {
  const hasAnswer = chat.messages.some(({ role }) => role === "assistant");
  const named =
    hasAnswer && conversation.conversation !== undefined ? { conversation: conversation.conversation } : {};
  return { ...chat, ...readRequestHeaders(headers), ...named, responseId: id };
}

/** Keeps the answer unless the client or the service does not want that; a failure costs the answer nothing. */
async function keepResponse(
  { stored }: RouteContext,
  {
    request,
    body,
    conversation,
    response,
  }: { request: FastifyRequest; body: ResponsesBody; conversation: Conversation; response: ResponseObject },
  metadata: ResponseMetadata,
): Promise<void> {
  if (!metadata.isStored) return;
  metadata.isStored = false;
  // The service has withdrawn it.
  if (response.output.length === 0) return;
  const previous = body.previous_response_id || undefined;
  try {
    const rest = { input: conversation.own, previous };
    metadata.isStored = await stored.save(request.principal.keyName, response, rest);
  } catch (error) {
    request.log.warn({ reqId: request.id, err: error }, "a response could not be stored");
  }
}

/** The compacted conversation as a list of items, for the next request in place of its own. */
async function compactConversation(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  body: CompactBody,
): Promise<FastifyReply> {
  const { options, chat } = context;
  const { principal, stopSignal: signal } = request;
  const conversation = await readConversation(context, principal.keyName, body);
  const items = itemsToCompact(conversation.all) ?? conversation.all;
  const id = createResponseId();
  const metadata = new ResponseMetadata(id, body);
  const source = new CompactionItems(id, options.sealer);
  const collector = new ResponseCollector({ metadata, items: source, showsSearches: false });
  const parsed = summaryRequest(body, { items, principal, signal, sealer: options.sealer });
  const chatRequest = toChatRequest(parsed, request, { id, conversation });
  await chat.answer(chatRequest, (events) => collector.onEvents(events), request.record);
  return reply.headers(startHeaders(collector.start)).send({
    id,
    object: "response.compaction",
    created_at: Math.floor(Date.now() / 1_000),
    output: [...keptMessages(items), ...source.items],
    usage: metadata.facts.usage ? usageObject(metadata.facts.usage) : null,
  });
}
