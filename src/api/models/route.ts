import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import type { Chat, ListedModel } from "../../chat/chat-service.js";
import { GatewayError } from "../../core/errors.js";

/** Models have no birthday that Kimi tells; a fixed one keeps the list stable. */
const created = Math.floor(Date.parse("2026-09-15T00:00:00Z") / 1_000);

/** `GET /v1/models` and `/v1/models/{id}`: a superset of OpenAI's and Anthropic's shapes (clients.md row 9). */
export function models(chat: Chat): FastifyPluginAsyncTypebox {
  return async (app) => {
    const list = { summary: "The models, aliases and their variants", tags: ["models"] };
    app.get("/v1/models", { schema: list }, async (request) => {
      const data = (await chat.models(request.caller, request.stop)).map(describe);
      const ids = data.map((model) => model.id);
      return { object: "list", data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null };
    });

    const one = {
      ...list,
      summary: "One model",
      params: Type.Object({ id: Type.String({ examples: ["kimi"] }) }),
    };
    app.get("/v1/models/:id", { schema: one }, async (request) => {
      const model = (await chat.models(request.caller, request.stop)).find(
        ({ id }) => id === request.params.id,
      );
      if (model) return describe(model);
      throw new GatewayError(
        "model_not_found",
        "There is no such model. GET /v1/models lists what there is.",
        {
          param: "model",
        },
      );
    });
  };
}

function describe(model: ListedModel) {
  const name = model.simulated && !/simulat/i.test(model.name) ? `${model.name} (simulator)` : model.name;
  return {
    id: model.id,
    object: "model",
    created,
    owned_by: model.simulated ? "moonbridge-simulator" : model.owner,
    type: "model",
    name,
    display_name: name,
    created_at: new Date(created * 1_000).toISOString(),
    context_length: model.contextLength,
    max_model_len: model.contextLength,
    architecture: { input_modalities: model.inputs, output_modalities: ["text"] },
    supports_reasoning: model.thinking.some((effort) => effort !== "off"),
    supports_image_in: model.inputs.includes("image"),
    supports_video_in: false,
  };
}
