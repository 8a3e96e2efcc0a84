import type { Feature } from "../../core/types.js";
import {
  claudeCode,
  codex,
  copilot,
  copilotJetBrains,
  dify,
  gemini,
  groq,
  kimiFreeApi,
  libreChat,
  liteLlm,
  liteLlmDropParams,
  liteLlmFallbacks,
  liteLlmProxy,
  llamaCpp,
  lmStudio,
  miniMax,
  mistral,
  moonbridge,
  moonshot,
  ollama,
  openAi,
  openRouter,
  openWebUi,
  perplexity,
  qwen,
  routeLlm,
  type Sender,
  sglang,
  vllm,
  xAi,
  zAi,
} from "./parameter-senders.js";

type Neutral = string | number | boolean;

/** The JSON types of parameters; clients also send `null` for “not set”. */
export type ParameterType =
  | "any"
  | "array"
  | "boolean"
  | "boolean or object"
  | "boolean or string"
  | "integer"
  | "number"
  | "object"
  | "string"
  | "string or array"
  | "string or number"
  | "string or object";

/**
 * What becomes of a parameter. `honoured`: Moonbridge acts on it, if the upstream has the feature. `passed on`: it goes to upstreams that have the
 * feature, the others report it as ignored. `same as`: it is replaced by another parameter. `no effect`: no service
 * that answers chats has it; it goes nowhere and is reported as ignored. `isRequired`: the client cannot use an answer
 * without it, so the request is refused where no upstream has the feature. Values that are `neutral` are not reported,
 * since they repeat the default, as do empty texts, lists and objects, and `false` unless `true` is the default.
 */
type Effect =
  | { effect: "honoured"; feature?: Feature; neutral?: readonly Neutral[] }
  | { effect: "passed on"; feature: Feature; neutral: readonly Neutral[]; isRequired?: true }
  | { effect: "same as"; target: "max_tokens" | "stop" | "reasoning_effort" | "response_format" }
  | { effect: "no effect" };

export type ClientParameter = { type: ParameterType } & Sender & Effect;

type Target = Extract<Effect, { effect: "same as" }>["target"];

const honoured = <T extends ParameterType>(type: T, sender: Sender) =>
  ({ type, effect: "honoured", ...sender }) as const;
const thinks = <T extends ParameterType>(type: T, sender: Sender) =>
  ({ ...honoured(type, sender), feature: "thinking" }) as const;
const searches = <T extends ParameterType>(type: T, sender: Sender) =>
  ({ ...honoured(type, sender), feature: "search" }) as const;
const passedOn = <T extends ParameterType>(
  type: T,
  feature: Feature,
  sender: Sender,
  neutral: Neutral[] = [],
) => ({ type, effect: "passed on", feature, neutral, ...sender }) as const;
const required = <T extends ParameterType>(
  type: T,
  feature: Feature,
  sender: Sender,
  neutral: Neutral[] = [],
) => ({ ...passedOn(type, feature, sender, neutral), isRequired: true }) as const;
const sameAs = <T extends ParameterType>(target: Target, type: T, sender: Sender) =>
  ({ type, effect: "same as", target, ...sender }) as const;
const noEffect = <T extends ParameterType>(type: T, sender: Sender) =>
  ({ type, effect: "no effect", ...sender }) as const;

/**
 * Every parameter that a known client sends to chat completions. The schema of requests, the names that are known and
 * docs/reference/parameters.md follow from this table. Other names are refused or ignored, as
 * `server.unknownParameters` says.
 */
export const clientParameters = {
  messages: honoured("array", openAi),
  model: honoured("string", openAi),
  stream: honoured("boolean", openAi),
  stream_options: honoured("object", openAi),
  usage: honoured("object", openRouter),
  n: honoured("integer", openAi),
  modalities: honoured("array", openAi),
  conversation_id: { ...honoured("string", kimiFreeApi), feature: "conversation", neutral: ["none"] },
  citations: honoured("string", moonbridge),

  // Thinking.
  reasoning_effort: thinks("string", openAi),
  reasoning: thinks("object", openRouter),
  thinking: thinks("any", moonshot),
  enable_thinking: thinks("boolean", qwen),
  chat_template_kwargs: thinks("object", vllm),
  think: sameAs("reasoning_effort", "boolean or string", ollama),
  thinking_budget: thinks("integer", dify),
  thinking_token_budget: thinks("integer", vllm),
  include_reasoning: passedOn("boolean", "engine-options", libreChat("issues/6076"), [true]),
  reasoning_format: passedOn("string", "engine-options", groq, ["parsed", "auto"]),
  separate_reasoning: passedOn("boolean", "engine-options", sglang, [true]),
  stream_reasoning: passedOn("boolean", "engine-options", sglang, [true]),
  reasoning_split: passedOn("boolean", "engine-options", miniMax),
  preserve_thinking: passedOn("boolean", "engine-options", qwen),

  // Search.
  web_search_options: searches("object", openAi),
  use_search: searches("boolean", kimiFreeApi),
  enable_search: searches("boolean", qwen),
  web_search: searches("boolean or object", libreChat("issues/9793")),
  search_parameters: searches("object", xAi),
  plugins: searches("array", openRouter),
  features: searches("object", openWebUi(21_557)),
  search_options: passedOn("object", "engine-options", qwen),
  search_domain_filter: passedOn("array", "engine-options", perplexity),
  search_recency_filter: passedOn("string", "engine-options", perplexity),
  search_mode: passedOn("string", "engine-options", perplexity),
  return_images: passedOn("boolean", "engine-options", perplexity),
  return_related_questions: passedOn("boolean", "engine-options", perplexity),
  return_citations: passedOn("boolean", "engine-options", perplexity, [true]),

  // Sampling.
  temperature: passedOn("number", "sampling", openAi),
  top_p: passedOn("number", "sampling", openAi, [1]),
  top_k: passedOn("number", "sampling", openRouter, [0, -1]),
  min_p: passedOn("number", "sampling", openRouter, [0]),
  top_a: passedOn("number", "engine-options", openRouter, [0]),
  typical_p: passedOn("number", "engine-options", llamaCpp, [1]),
  tfs_z: passedOn("number", "engine-options", llamaCpp, [1]),
  presence_penalty: passedOn("number", "sampling", openAi, [0]),
  frequency_penalty: passedOn("number", "sampling", openAi, [0]),
  repetition_penalty: passedOn("number", "sampling", openRouter, [1]),
  repeat_penalty: passedOn("number", "engine-options", llamaCpp, [1]),
  repeat_last_n: passedOn("integer", "engine-options", llamaCpp),
  penalize_newline: passedOn("boolean", "engine-options", ollama),
  length_penalty: passedOn("number", "engine-options", vllm, [1]),
  logit_bias: passedOn("object", "sampling", openAi),
  seed: passedOn("number", "sampling", openAi, [-1]),
  random_seed: passedOn("integer", "engine-options", mistral),
  do_sample: passedOn("boolean", "engine-options", zAi, [true]),
  mirostat: passedOn("integer", "engine-options", llamaCpp, [0]),
  mirostat_eta: passedOn("number", "engine-options", llamaCpp),
  mirostat_tau: passedOn("number", "engine-options", llamaCpp),
  dynatemp_range: passedOn("number", "engine-options", llamaCpp, [0]),
  dynatemp_exponent: passedOn("number", "engine-options", llamaCpp, [1]),
  xtc_probability: passedOn("number", "engine-options", llamaCpp, [0]),
  xtc_threshold: passedOn("number", "engine-options", llamaCpp),
  dry_multiplier: passedOn("number", "engine-options", llamaCpp, [0]),
  dry_base: passedOn("number", "engine-options", llamaCpp),
  dry_allowed_length: passedOn("integer", "engine-options", llamaCpp),
  dry_penalty_last_n: passedOn("integer", "engine-options", llamaCpp),
  dry_sequence_breakers: passedOn("array", "engine-options", llamaCpp),
  samplers: passedOn("array", "engine-options", llamaCpp),
  use_beam_search: passedOn("boolean", "engine-options", vllm),
  best_of: passedOn("integer", "engine-options", vllm, [1]),

  // Length and stop.
  max_tokens: passedOn("integer", "max-tokens", openAi),
  max_completion_tokens: passedOn("integer", "max-tokens", openAi),
  max_output_tokens: sameAs("max_tokens", "integer", liteLlm),
  max_new_tokens: sameAs("max_tokens", "integer", sglang),
  num_predict: sameAs("max_tokens", "integer", openWebUi(14_514)),
  n_predict: sameAs("max_tokens", "integer", llamaCpp),
  min_tokens: passedOn("integer", "engine-options", vllm, [0]),
  stop: passedOn("string or array", "stop", openAi),
  stop_sequences: sameAs("stop", "string or array", claudeCode),
  stop_token_ids: passedOn("array", "engine-options", vllm),
  stop_regex: passedOn("string or array", "engine-options", sglang),
  include_stop_str_in_output: passedOn("boolean", "engine-options", vllm),
  no_stop_trim: passedOn("boolean", "engine-options", sglang),
  ignore_eos: passedOn("boolean", "engine-options", vllm),
  bad_words: passedOn("array", "engine-options", vllm),
  truncate_prompt_tokens: passedOn("integer", "engine-options", vllm),

  // Tools.
  tools: passedOn("array", "tools", openAi),
  tool_choice: required("any", "tools", openAi, ["auto", "none"]),
  parallel_tool_calls: passedOn("boolean", "tools", openAi, [true]),
  functions: passedOn("array", "tools", openAi),
  function_call: required("any", "tools", openAi, ["auto", "none"]),
  tool_stream: passedOn("boolean", "engine-options", zAi),
  enable_code_interpreter: passedOn("boolean", "engine-options", qwen),

  // The form of the answer.
  response_format: required("object", "output-format", openAi),
  format: sameAs("response_format", "string or object", ollama),
  verbosity: passedOn("string", "output-format", openAi),
  prediction: passedOn("object", "output-format", openAi),
  audio: passedOn("object", "service-settings", openAi),
  logprobs: passedOn("boolean", "logprobs", openAi),
  top_logprobs: passedOn("integer", "logprobs", openAi, [0]),
  prompt_logprobs: passedOn("integer", "engine-options", vllm),
  grammar: required("string", "engine-options", llamaCpp),
  json_schema: required("object", "engine-options", llamaCpp),
  guided_json: required("string or object", "engine-options", vllm),
  guided_regex: required("string", "engine-options", vllm),
  guided_choice: required("array", "engine-options", vllm),
  guided_grammar: required("string", "engine-options", vllm),
  guided_decoding_backend: passedOn("string", "engine-options", vllm),
  structured_outputs: required("object", "engine-options", vllm),
  regex: required("string", "engine-options", sglang),
  ebnf: required("string", "engine-options", sglang),
  echo: passedOn("boolean", "engine-options", vllm),
  skip_special_tokens: passedOn("boolean", "engine-options", vllm, [true]),
  spaces_between_special_tokens: passedOn("boolean", "engine-options", vllm, [true]),
  add_special_tokens: passedOn("boolean", "engine-options", vllm),
  return_tokens_as_token_ids: passedOn("boolean", "engine-options", vllm),

  // The prompt.
  add_generation_prompt: passedOn("boolean", "engine-options", vllm, [true]),
  continue_final_message: passedOn("boolean", "engine-options", vllm),
  chat_template: passedOn("string", "engine-options", vllm),
  mm_processor_kwargs: passedOn("object", "engine-options", vllm),
  vl_high_resolution_images: passedOn("boolean", "engine-options", qwen),
  safe_prompt: passedOn("boolean", "engine-options", mistral),
  prompt_mode: passedOn("string", "engine-options", mistral),
  transforms: passedOn("array", "engine-options", openRouter),

  // How the service handles the request.
  user: passedOn("any", "service-settings", openAi),
  metadata: passedOn("object", "service-settings", openAi),
  client_metadata: passedOn("object", "service-settings", codex),
  store: passedOn("boolean", "service-settings", openAi),
  service_tier: passedOn("string", "service-settings", openAi, ["auto", "default"]),
  safety_identifier: passedOn("string", "service-settings", openAi),
  prompt_cache_key: passedOn("string", "service-settings", openAi),
  prompt_cache_retention: passedOn("string", "service-settings", openAi),
  prompt_cache_options: passedOn("any", "service-settings", openAi),
  moderation: passedOn("any", "service-settings", openAi),
  context_management: passedOn("any", "service-settings", claudeCode),
  output_config: required("any", "output-format", claudeCode),
  include: passedOn("any", "service-settings", codex),
  text: required("any", "output-format", openAi),
  models: passedOn("array", "engine-options", openRouter),
  provider: passedOn("object", "engine-options", openRouter),
  route: passedOn("string", "engine-options", openRouter),
  priority: passedOn("integer", "engine-options", vllm, [0]),
  request_id: passedOn("string", "engine-options", vllm),
  user_id: passedOn("string", "engine-options", zAi),
  cache_prompt: passedOn("boolean", "engine-options", llamaCpp, [true]),
  cache_salt: passedOn("string", "engine-options", vllm),
  id_slot: passedOn("integer", "engine-options", llamaCpp, [-1]),
  timings_per_token: passedOn("boolean", "engine-options", llamaCpp),
  lora: passedOn("array", "engine-options", llamaCpp),
  incremental_output: passedOn("boolean", "engine-options", qwen, [true]),
  google: passedOn("object", "engine-options", gemini),
  draft_model: passedOn("string", "engine-options", lmStudio),
  ttl: passedOn("integer", "engine-options", lmStudio),

  // Parameters inside these are read as if they stood beside them.
  extra_body: honoured("object", openWebUi(1_484)),
  options: honoured("object", ollama),

  // How Ollama loads a model. Its own OpenAI-compatible API has none of these.
  keep_alive: noEffect("string or number", openWebUi(19_906)),
  num_ctx: noEffect("integer", openWebUi(14_514)),
  num_keep: noEffect("integer", openWebUi(14_520)),
  num_batch: noEffect("integer", ollama),
  num_gpu: noEffect("integer", ollama),
  main_gpu: noEffect("integer", ollama),
  num_thread: noEffect("integer", ollama),
  numa: noEffect("boolean", ollama),
  low_vram: noEffect("boolean", ollama),
  f16_kv: noEffect("boolean", ollama),
  vocab_only: noEffect("boolean", ollama),
  use_mmap: noEffect("boolean", ollama),
  use_mlock: noEffect("boolean", ollama),

  // What a client keeps for itself, for its plugins or for its own gateway.
  tool_servers: noEffect("array", openWebUi(13_617)),
  tool_ids: noEffect("array", openWebUi(21_557)),
  filter_ids: noEffect("array", openWebUi(21_557)),
  background_tasks: noEffect("object", openWebUi(21_557)),
  variables: noEffect("object", openWebUi(21_557)),
  id: noEffect("string", openWebUi(6_998)),
  chat_id: noEffect("string", openWebUi(6_998)),
  session_id: noEffect("string", openWebUi(6_998)),
  snippy: noEffect("any", copilot),
  intent: noEffect("any", copilotJetBrains),
  intent_content: noEffect("any", copilotJetBrains),
  intent_threshold: noEffect("any", copilotJetBrains),
  strict: noEffect("boolean", routeLlm),
  extra_headers: noEffect("object", liteLlm),
  extra_query: noEffect("object", liteLlm),
  timeout: noEffect("string or number", liteLlm),
  request_timeout: noEffect("string or number", liteLlm),
  stream_timeout: noEffect("string or number", liteLlm),
  max_retries: noEffect("integer", liteLlm),
  num_retries: noEffect("integer", liteLlmFallbacks),
  fallbacks: noEffect("array", liteLlmFallbacks),
  context_window_fallbacks: noEffect("any", liteLlmFallbacks),
  drop_params: noEffect("boolean", liteLlmDropParams),
  additional_drop_params: noEffect("array", liteLlm),
  allowed_openai_params: noEffect("array", liteLlm),
  api_base: noEffect("string", liteLlm),
  api_key: noEffect("string", liteLlm),
  api_version: noEffect("string", liteLlm),
  base_url: noEffect("string", liteLlm),
  custom_llm_provider: noEffect("string", liteLlm),
  cache: noEffect("any", liteLlmProxy),
  caching: noEffect("boolean", liteLlmProxy),
  "no-log": noEffect("boolean", liteLlmProxy),
  guardrails: noEffect("array", liteLlmProxy),
  mock_response: noEffect("any", liteLlm),
  mock_testing_fallbacks: noEffect("boolean", liteLlmFallbacks),
  tags: noEffect("array", liteLlmProxy),
  litellm_metadata: noEffect("object", liteLlmProxy),
  litellm_session_id: noEffect("string", liteLlmProxy),
  litellm_trace_id: noEffect("string", liteLlmProxy),
} as const satisfies Record<string, ClientParameter>;

export type ClientParameterName = keyof typeof clientParameters;

/** The names of all parameters that Moonbridge knows. */
export const parameterNames: readonly string[] = Object.keys(clientParameters);

/** The entry of this parameter; undefined if there is none. */
export function findParameter(name: string): ClientParameter | undefined {
  return parameters.get(name);
}

const parameters = new Map<string, ClientParameter>(Object.entries(clientParameters));
