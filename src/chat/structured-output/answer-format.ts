import type { ChatRequest, ResponseFormat } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import { validateJson } from "../tools/validate-json.js";
import { readSchema } from "./check-schema.js";
import type { FoundJson } from "./find-json.js";
import { tellSchema } from "./tell-schema.js";

/** The text of an answer's JSON as the client gets it, or what is wrong with it. */
export type CheckedJson = { text: string } | { problem: string };

/** The format that a request demands: what the model is told of it, and whether JSON has it. */
export class AnswerFormat {
  /** The request's parameter, by the client's name. */
  readonly parameter: string;
  /** The schema as the model is told it; undefined where any object is right. */
  readonly toldSchema: string | undefined;
  readonly #plain: JsonObject | undefined;

  /** Throws `invalid_request` for a schema that cannot be kept. */
  constructor(format: ResponseFormat, requestedFeatures: ChatRequest["requestedFeatures"]) {
    const requested = requestedFeatures.find(
      ({ feature, isRequired }) => feature === "output-format" && isRequired,
    );
    this.parameter = requested?.parameter ?? "response_format";
    if (format.type === "json") return;
    const { schema, strict, path: param = this.parameter } = format;
    this.#plain = readSchema(schema, { param, ...(strict === undefined ? {} : { strict }) });
    this.toldSchema = tellSchema(schema, param);
  }

  /** Compares JSON with the format. Values of another type are converted where they say the same and no digit is lost. */
  check({ value, text }: Pick<FoundJson, "value" | "text">): CheckedJson {
    if (!this.#plain)
      return typeof value === "object" && value !== null ? { text } : { problem: "must be object" };
    const validated = validateJson(value, this.#plain);
    if ("problem" in validated) return validated;
    if (!validated.isCoerced) return { text };
    if (losesDigits(text)) return { problem: "has values of other types than the schema" };
    return { text: JSON.stringify(validated.value) };
  }
}

const stringOrNumber = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\d[\d.eE+-]*/g;
/** Digits that every number keeps. */
const safeDigits = 15;

/** Whether a number of the text has more digits than JavaScript keeps. */
function losesDigits(text: string): boolean {
  return Array.from(text.matchAll(stringOrNumber)).some(
    ([found]) => !found.startsWith('"') && found.replace(/[eE].*|\D/g, "").length > safeDigits,
  );
}
