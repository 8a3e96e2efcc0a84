import type { AnswerLimits, ChatRequest, Feature } from "../../core/types.js";
import { textsIn } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { printableName, unknownParameterError } from "../unknown-parameters.js";

/** `name`: the parameter of OpenAI's with the same meaning. */
type Option = { feature: Feature; name: string; type: "number" | "boolean" | "texts" };

function sampling(name: string): Option {
  return { feature: "sampling", name, type: "number" };
}

/** An option of Ollama's engine or of the loaded model, which no upstream has. */
function engine(name: string, type: Option["type"] = "number"): Option {
  return { feature: "nothing", name, type };
}

/** Ollama's options (clients.md §2.8). */
const knownOptions: Readonly<Record<string, Option>> = {
  temperature: sampling("temperature"),
  top_p: sampling("top_p"),
  top_k: sampling("top_k"),
  min_p: sampling("min_p"),
  presence_penalty: sampling("presence_penalty"),
  frequency_penalty: sampling("frequency_penalty"),
  repeat_penalty: sampling("repetition_penalty"),
  seed: sampling("seed"),
  num_predict: { feature: "max-tokens", name: "max_tokens", type: "number" },
  stop: { feature: "stop", name: "stop", type: "texts" },
  num_ctx: engine("num_ctx"),
  num_keep: engine("num_keep"),
  num_batch: engine("num_batch"),
  num_gpu: engine("num_gpu"),
  main_gpu: engine("main_gpu"),
  num_thread: engine("num_thread"),
  typical_p: engine("typical_p"),
  tfs_z: engine("tfs_z"),
  repeat_last_n: engine("repeat_last_n"),
  mirostat: engine("mirostat"),
  mirostat_eta: engine("mirostat_eta"),
  mirostat_tau: engine("mirostat_tau"),
  penalize_newline: engine("penalize_newline", "boolean"),
  numa: engine("numa", "boolean"),
  low_vram: engine("low_vram", "boolean"),
  f16_kv: engine("f16_kv", "boolean"),
  logits_all: engine("logits_all", "boolean"),
  vocab_only: engine("vocab_only", "boolean"),
  use_mmap: engine("use_mmap", "boolean"),
  use_mlock: engine("use_mlock", "boolean"),
  embedding_only: engine("embedding_only", "boolean"),
};

/** An option that is set and not its default. `sent` is the client's name for it. */
type SetOption = { sent: string; value: number | boolean | string[]; option: Option };

/**
 * Reads `options`. Throws `invalid_request` for a value of the wrong type and, unless unknown ones are to be ignored,
 * `unknown_parameter`.
 */
export function parseOptions(
  options: Readonly<Record<string, unknown>>,
  unknownParameters: "reject" | "ignore",
): Pick<ChatRequest, "sampling" | "limits" | "requestedFeatures"> {
  const entries = Object.entries(options).filter(([, value]) => value !== null && value !== undefined);
  const unknown = entries.filter(([sent]) => !Object.hasOwn(knownOptions, sent));
  if (unknown[0] && unknownParameters === "reject")
    throw unknownParameterError(`options.${unknown[0][0]}`, Object.keys(knownOptions));
  const set = entries.flatMap(([sent, value]) => readOption(sent, value));
  return {
    ...samplingOf(set),
    ...limitsOf(set),
    requestedFeatures: [
      ...set.map(({ sent, value, option }) => ({
        parameter: `options.${sent}`,
        name: option.name,
        value,
        feature: option.feature,
      })),
      ...unknown.map(([sent, value]) => ({
        parameter: `options.${printableName(sent)}`,
        name: sent,
        value,
        feature: "unknown" as const,
      })),
    ],
  };
}

function readOption(sent: string, sentValue: unknown): SetOption[] {
  const option = Object.hasOwn(knownOptions, sent) ? knownOptions[sent] : undefined;
  if (!option) return [];
  const value = readValue(sentValue, option, `options.${sent}`);
  // Of num_predict −1 is without a limit, −2 until the context is full.
  const isDefault =
    (Array.isArray(value) && value.length === 0) || (option.name === "max_tokens" && Number(value) <= 0);
  return isDefault ? [] : [{ sent, value, option }];
}

function readValue(value: unknown, { type }: Option, path: string): SetOption["value"] {
  switch (type) {
    case "number":
      if (typeof value === "number") return value;
      break;
    case "boolean":
      if (typeof value === "boolean") return value;
      break;
    case "texts":
      if (typeof value === "string") return value === "" ? [] : [value];
      if (Array.isArray(value) && textsIn(value).length === value.length)
        return textsIn(value).filter((text) => text !== "");
  }
  throw invalidParameter(path, `expected ${type === "texts" ? "a text or a list of texts" : `a ${type}`}`);
}

function samplingOf(set: readonly SetOption[]): Pick<ChatRequest, "sampling"> {
  const sampling = set.flatMap(({ value, option }) =>
    option.feature === "sampling" && typeof value === "number" ? [[option.name, value] as const] : [],
  );
  return sampling.length > 0 ? { sampling: Object.fromEntries(sampling) } : {};
}

function limitsOf(set: readonly SetOption[]): Pick<ChatRequest, "limits"> {
  const maxTokens = set.find(({ option }) => option.feature === "max-tokens")?.value;
  const stop = set.find(({ option }) => option.feature === "stop")?.value;
  const limits: AnswerLimits = {
    ...(typeof maxTokens === "number" ? { maxTokens } : {}),
    ...(Array.isArray(stop) ? { stop } : {}),
  };
  return Object.keys(limits).length > 0 ? { limits } : {};
}
