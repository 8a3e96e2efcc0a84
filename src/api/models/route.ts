import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { ChatService } from "../../chat/chat-service.js";
import type { ListedModel } from "../../chat/model-list.js";
import { listPage } from "../list-page.js";
import { ModelListQuery, pageOf } from "./page.js";

/** Kimi sends no creation time; a fixed one keeps the list stable. Seconds since the epoch. */
const creationTime = Math.floor(Date.parse("2026-09-15T00:00:00Z") / 1_000);

/** `GET /v1/models` and `/v1/models/{id}`: a superset of OpenAI's and Anthropic's shapes (clients.md §7 row 9). */
export function modelsRoute(chatService: ChatService): FastifyPluginAsyncTypebox {
  return async (app) => {
    const list = { summary: "The models, aliases and their variants", tags: ["models"] };
    app.get("/v1/models", { schema: { ...list, querystring: ModelListQuery } }, async (request) => {
      const models = (await chatService.models(request.principal, request.stopSignal)).map(modelObject);
      const { data, hasMore } = pageOf(models, request.query);
      return listPage(data, hasMore);
    });

    const byId = {
      ...list,
      summary: "One model",
      params: Type.Object({ id: Type.String({ examples: ["kimi"] }) }),
    };
    app.get("/v1/models/:id", { schema: byId }, async (request) =>
      modelObject(await chatService.model(request.principal, request.params.id, request.stopSignal)),
    );

    // A model's name may have slashes, which some clients do not encode.
    const byPath = { hide: true, params: Type.Object({ "*": Type.String() }) };
    app.get("/v1/models/*", { schema: byPath }, async (request) =>
      modelObject(await chatService.model(request.principal, request.params["*"], request.stopSignal)),
    );
  };
}

function modelObject(model: ListedModel) {
  const name = model.simulated && !/simulat/i.test(model.name) ? `${model.name} (simulator)` : model.name;
  return {
    id: model.id,
    object: "model",
    created: creationTime,
    owned_by: model.simulated ? "moonbridge-simulator" : model.owner,
    type: "model",
    name,
    display_name: name,
    created_at: new Date(creationTime * 1_000).toISOString(),
    context_length: model.contextLength,
    max_model_len: model.contextLength,
    architecture: { input_modalities: model.inputs, output_modalities: ["text"] },
    supports_reasoning: model.thinking.some((effort) => effort !== "off"),
    supports_image_in: model.inputs.includes("image"),
    supports_video_in: false,
  };
}
