import { createHash } from "node:crypto";
import type { ListedModel } from "../../chat/model-list.js";

/** Kimi sends no such time; a fixed one keeps the list stable. */
const modifiedAt = "2026-09-15T00:00:00Z";
const architecture = "moonbridge";

const details = {
  parent_model: "",
  format: "",
  family: architecture,
  families: [architecture],
  parameter_size: "",
  quantization_level: "",
};

/** A model in the list of `GET /api/tags`. It takes no space here, and its digest is only a stable id. */
export function tagObject({ id }: ListedModel) {
  const digest = createHash("sha256").update(id).digest("hex");
  return { name: id, model: id, modified_at: modifiedAt, size: 0, digest, details };
}

/** The answer of `POST /api/show`. Clients take the context length from `<architecture>.context_length`. */
export function showObject(model: ListedModel) {
  return {
    modelfile: "",
    parameters: "",
    template: "",
    details,
    model_info: {
      "general.architecture": architecture,
      "general.basename": model.name,
      ...(model.contextLength === undefined
        ? {}
        : { [`${architecture}.context_length`]: model.contextLength }),
    },
    capabilities: capabilities(model),
    modified_at: modifiedAt,
  };
}

function capabilities({ inputs, thinking, features }: ListedModel): string[] {
  return [
    "completion",
    ...(inputs.includes("image") ? ["vision"] : []),
    ...(features.has("tools") ? ["tools"] : []),
    ...(thinking.some((effort) => effort !== "off") ? ["thinking"] : []),
  ];
}
