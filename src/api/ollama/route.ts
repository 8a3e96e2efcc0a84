import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { GatewayError } from "../../core/errors.js";
import type { ChatRequest, EventSink } from "../../core/types.js";
import type { DialectContext } from "../dialect.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readRequestHeaders } from "../request-headers.js";
import { startHeaders } from "../stream/start-headers.js";
import { streamReply } from "../stream/stream-reply.js";
import { showsErrors } from "../stream/visible-error.js";
import {
  chatRecords,
  generateRecords,
  LineEncoder,
  loadRecord,
  RecordCollector,
  type RecordForm,
} from "./encode.js";
import { withModelName } from "./errors.js";
import { showObject, tagObject } from "./models.js";
import { modelName, parseChat, parseGenerate } from "./parse.js";
import { ChatBody, GenerateBody, ShowBody } from "./schema.js";

/** The version of Ollama whose API this is: Copilot asks for 0.6.4 or newer (clients.md §2.8). */
const apiVersion = "0.13.0";

/** What belongs to models on a disk, and to embeddings. */
const unsupported: { methods: HTTPMethods[]; paths: string[]; message: string }[] = [
  {
    methods: ["POST"],
    paths: ["/api/pull", "/api/push", "/api/create", "/api/copy"],
    message:
      "Moonbridge keeps no models: they are those of its upstreams. GET /api/tags lists them, ready for use.",
  },
  {
    methods: ["DELETE"],
    paths: ["/api/delete"],
    message: "Moonbridge keeps no models, so that none can be deleted.",
  },
  {
    methods: ["HEAD", "POST"],
    paths: ["/api/blobs/*"],
    message: "Moonbridge keeps no models, and takes no files for them.",
  },
  {
    methods: ["POST"],
    paths: ["/api/embed", "/api/embeddings"],
    message: "No model here makes embeddings. Set another service for them in your program.",
  },
];

/** The routes of Ollama's API that have a meaning here; the others say that they have none. */
export function ollamaRoutes(context: DialectContext): FastifyPluginAsyncTypebox {
  const { chat, rateLimit } = context;
  return async (app) => {
    const models = { tags: ["models"] };
    app.get("/api/version", { schema: { ...models, summary: "Ollama's API: its version" } }, async () => ({
      version: apiVersion,
    }));
    app.get("/api/tags", { schema: { ...models, summary: "Ollama's API: the models" } }, async (request) => ({
      models: (await chat.models(request.principal, request.stopSignal)).map(tagObject),
    }));
    app.get(
      "/api/ps",
      { schema: { ...models, summary: "Ollama's API: the models in memory, none" } },
      async () => ({
        models: [],
      }),
    );
    const show = { ...models, summary: "Ollama's API: one model", body: ShowBody };
    app.post("/api/show", { schema: show }, async ({ body, principal, stopSignal }) => {
      const model = body.model || body.name;
      if (!model) throw invalidParameter("model", "this field is required");
      return showObject(await findModel(context, model, { principal, stopSignal }));
    });

    const chatSchema = {
      tags: ["chat"],
      summary: "Ollama's API: a chat, streaming unless told not to",
      body: ChatBody,
    };
    app.post("/api/chat", { schema: chatSchema, onRequest: rateLimit }, async (request, reply) => {
      const { body } = request;
      if (!body.messages?.length) return load(context, request, body, chatRecords);
      return answer(context, request, reply, parseChat(body, parseOptions(context, request)), chatRecords);
    });
    const generateSchema = {
      tags: ["chat"],
      summary: "Ollama's API: one prompt, streaming unless told not to",
      body: GenerateBody,
    };
    app.post("/api/generate", { schema: generateSchema, onRequest: rateLimit }, async (request, reply) => {
      const { body } = request;
      if (!body.prompt && !body.images?.length) return load(context, request, body, generateRecords);
      const parsed = parseGenerate(body, parseOptions(context, request));
      return answer(context, request, reply, parsed, generateRecords);
    });

    for (const { methods, paths, message } of unsupported) {
      for (const url of paths) {
        app.route({
          method: methods,
          url,
          schema: { hide: true },
          handler: () => {
            throw new GatewayError("invalid_request", message);
          },
        });
      }
    }
  };
}

function parseOptions({ options }: DialectContext, { principal, stopSignal }: FastifyRequest) {
  return { unknownParameters: options.unknownParameters, principal, signal: stopSignal };
}

async function findModel(
  { chat }: DialectContext,
  model: string,
  { principal, stopSignal }: Pick<FastifyRequest, "principal" | "stopSignal">,
) {
  try {
    return await chat.model(principal, modelName(model), stopSignal);
  } catch (error) {
    throw withModelName(error, model);
  }
}

/** Without a message or a prompt, Ollama loads the model: here, it only has to exist. */
async function load(
  context: DialectContext,
  request: FastifyRequest,
  body: { model: string; keep_alive?: unknown },
  form: RecordForm,
): Promise<object> {
  await findModel(context, body.model, request);
  return loadRecord(form, body.model, body.keep_alive);
}

async function answer(
  { chat, options }: DialectContext,
  request: FastifyRequest,
  reply: FastifyReply,
  parsed: ChatRequest,
  form: RecordForm,
): Promise<FastifyReply> {
  const chatRequest = { ...parsed, ...readRequestHeaders(request.headers) };
  const send = async (sink: EventSink) => {
    try {
      await chat.answer(chatRequest, sink, request.record);
    } catch (error) {
      throw withModelName(error, parsed.model);
    }
  };
  if (!chatRequest.stream) {
    const collector = new RecordCollector(form, parsed.model);
    await send((events) => collector.onEvents(events));
    const json = collector.toJson();
    return reply.headers(startHeaders(collector.start)).type("application/json; charset=utf-8").send(json);
  }
  const visibleErrors = showsErrors(chatRequest, options.visibleErrors);
  const encoder = new LineEncoder(form, parsed.model);
  request.failure = await streamReply(reply, send, encoder, { visibleErrors });
  return reply;
}
