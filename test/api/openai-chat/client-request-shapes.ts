/** What a request leads to. `answer`: default “ok”. `ignored`: the header `x-moonbridge-ignored`. Search and thinking as Kimi was asked for them. */
type Outcome =
  | { answer?: string; ignored?: string; thinking?: boolean; search?: boolean; blocks?: string }
  | { error: string; param: string };

/** A request as this client sends it (made up, after docs/reference/parameters.md and docs/protocol/clients.md), and its outcome. */
export type RequestShape = [client: string, body: Record<string, unknown>, outcome: Outcome];

const system = (content: unknown) => ({ role: "system", content });
const user = (content: unknown) => ({ role: "user", content });
const text = (value: string) => ({ type: "text", text: value });
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const dataUrl = `data:image/png;base64,${png}`;
const picture = (url: unknown) => ({ type: "image_url", image_url: url });
const weather = {
  name: "get_weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};
const weatherTool = { type: "function", function: weather };
const hello = [user("Hello")];
const chat = [system("Be brief."), user("Hello"), { role: "assistant", content: "Hi!" }, user("And?")];
const penalties = { presence_penalty: 0, frequency_penalty: 0 };
const usage = { stream_options: { include_usage: true } };

/** A conversation whose assistant sent this back. */
const after = (assistant: Record<string, unknown>) => [
  user("1+1?"),
  { role: "assistant", ...assistant },
  user("Sure?"),
];

export const requestShapes: RequestShape[] = [
  // UIs.
  [
    "NextChat",
    { messages: chat, stream: true, temperature: 0.5, ...penalties, top_p: 1 },
    { ignored: "temperature" },
  ],
  [
    "NextChat, vision",
    { messages: [user([text("Look"), picture({ url: dataUrl })])], max_tokens: 4_000, stream: true },
    { blocks: "text file" },
  ],
  [
    "LobeChat",
    { messages: hello, stream: true, ...penalties, temperature: 0.7, top_p: 1, user: "u-1", ...usage },
    { ignored: "temperature, user" },
  ],
  [
    "LobeChat, search",
    {
      messages: hello,
      stream: true,
      tools: [{ type: "builtin_function", function: { name: "$web_search" } }],
    },
    { search: true },
  ],
  ["Open WebUI", { messages: hello, stream: true, temperature: 0.8, ...usage }, { ignored: "temperature" }],
  ["Open WebUI, keep_alive", { messages: hello, stream: true, keep_alive: "5m" }, { ignored: "keep_alive" }],
  [
    "Open WebUI, context length",
    { messages: hello, num_ctx: 8_192, num_keep: 4, num_batch: 512 },
    { ignored: "num_ctx, num_keep, num_batch" },
  ],
  [
    "Open WebUI, Ollama's sampling",
    { messages: hello, repeat_penalty: 1.1, repeat_last_n: 64, mirostat: 0, num_predict: -1 },
    { ignored: "repeat_penalty, repeat_last_n" },
  ],
  ["Open WebUI, think", { messages: hello, think: true }, { thinking: true }],
  [
    "Open WebUI, tool servers",
    { messages: hello, tool_servers: [], tool_ids: [] },
    { ignored: "tool_servers, tool_ids" },
  ],
  [
    "Open WebUI, ids of its chat",
    { messages: hello, id: "m", chat_id: "c", session_id: "s" },
    { ignored: "id, chat_id, session_id" },
  ],
  [
    "Open WebUI's API, search",
    { messages: hello, features: { web_search: true, code_interpreter: true } },
    { search: true, ignored: "features.code_interpreter" },
  ],
  [
    "Open WebUI, title with many tokens",
    { messages: hello, stream: false, max_completion_tokens: 1_000 },
    {},
  ],
  ["Cherry Studio, check", { messages: [system("test"), user("hi")], stream: true, ...usage }, {}],
  [
    "Cherry Studio, thinking",
    { messages: hello, stream: true, enable_thinking: true, thinking_budget: 4_096 },
    { thinking: true },
  ],
  [
    "Chatbox",
    { messages: [system("You are helpful"), user([text("Hello")])], stream: true, temperature: 1 },
    { ignored: "temperature" },
  ],
  [
    "LibreChat",
    { messages: hello, stream: true, user: "6f", temperature: 1, top_p: 1, ...penalties },
    { ignored: "user, temperature" },
  ],
  [
    "LibreChat, reasoning",
    { messages: hello, stream: true, include_reasoning: true, reasoning_effort: "medium" },
    { thinking: true },
  ],
  ["LibreChat, search", { messages: hello, web_search: true, plugins: [{ id: "web" }] }, { search: true }],
  ["LibreChat, stop", { messages: hello, stop: ["||>", "\nUser:", "<|diff_marker|>"] }, {}],
  [
    "SillyTavern, OpenRouter's form",
    {
      messages: hello,
      stream: true,
      transforms: ["middle-out"],
      plugins: [],
      include_reasoning: true,
      min_p: 0,
      top_a: 0.1,
      repetition_penalty: 1,
      top_k: 0,
    },
    { ignored: "transforms, top_a" },
  ],
  [
    "SillyTavern, hidden reasoning",
    { messages: hello, reasoning: { exclude: true, effort: "low" } },
    { thinking: true, ignored: "reasoning.exclude" },
  ],
  [
    "SillyTavern, custom body",
    { messages: hello, dry_multiplier: 0.8, xtc_probability: 0.5, seed: -1, logprobs: false, stop: [] },
    { ignored: "dry_multiplier, xtc_probability" },
  ],
  [
    "SillyTavern, provider order",
    { messages: hello, provider: { order: ["a"] }, route: "fallback", reasoning_effort: "auto" },
    { thinking: true, ignored: "provider, route" },
  ],

  // Programming agents and editors.
  [
    "Copilot BYOK",
    { messages: hello, stream: true, snippy: { enabled: false }, n: 1, top_p: 1 },
    { ignored: "snippy" },
  ],
  [
    "Copilot, JetBrains",
    {
      messages: hello,
      stream: true,
      intent: true,
      intent_content: "1",
      intent_threshold: 0.9,
      temperature: 0,
    },
    { ignored: "intent, intent_content, intent_threshold, temperature" },
  ],
  [
    "Copilot, cache marks",
    { messages: [{ ...user("Hello"), copilot_cache_control: { type: "ephemeral" } }], stream: true },
    {},
  ],
  [
    "Cline",
    {
      messages: [system("You are Cline"), user([{ ...text("Hello"), cache_control: { type: "ephemeral" } }])],
      stream: true,
      temperature: 0,
      ...usage,
    },
    { ignored: "temperature" },
  ],
  [
    "Roo Code",
    { messages: hello, stream: true, parallel_tool_calls: true, temperature: 0, ...usage },
    { ignored: "temperature" },
  ],
  [
    "Continue",
    { messages: hello, stream: true, max_tokens: 4_096, prediction: { type: "content", content: "x" } },
    { ignored: "prediction" },
  ],
  [
    "opencode",
    { messages: hello, stream: true, max_tokens: 32_000, top_p: 0.95, ...usage },
    { ignored: "top_p" },
  ],
  [
    "qwen-code",
    { messages: [user([text("Hello")])], metadata: { sessionId: "s" }, vl_high_resolution_images: true },
    { ignored: "metadata, vl_high_resolution_images" },
  ],
  [
    "kimi-code",
    {
      messages: after({ content: [{ type: "think", think: "simple" }, text("2")] }),
      thinking: { type: "enabled", keep: "all" },
    },
    { thinking: true },
  ],
  ["aider", { messages: hello, temperature: 0, stream: true }, { ignored: "temperature" }],
  [
    "Zed",
    { messages: hello, stream: true, stop: [], tools: [], parallel_tool_calls: false, prompt_cache_key: "t" },
    { ignored: "parallel_tool_calls, prompt_cache_key" },
  ],

  // Gateways and platforms.
  [
    "one-api, channel test",
    { messages: [user("hi")], n: 1, seed: 1.5, user: "u" },
    { ignored: "seed, user" },
  ],
  [
    "LiteLLM, its own settings",
    {
      messages: hello,
      drop_params: true,
      num_retries: 2,
      timeout: 60,
      fallbacks: ["x"],
      api_key: "sk-CANARY-body",
    },
    { ignored: "drop_params, num_retries, timeout, fallbacks, api_key" },
  ],
  [
    "LiteLLM, extra_body",
    { messages: hello, extra_body: { enable_thinking: true, top_k: 20 } },
    { thinking: true, ignored: "top_k" },
  ],
  [
    "LiteLLM, thinking blocks",
    {
      messages: after({
        content: "2",
        thinking_blocks: [{ type: "thinking", thinking: "x", signature: "s" }],
      }),
      metadata: {},
      tags: ["a"],
    },
    { ignored: "tags" },
  ],
  [
    "LiteLLM, budget",
    { messages: hello, thinking: { type: "enabled", budget_tokens: 1_024 } },
    { thinking: true },
  ],
  ["Dify, validation", { messages: [user("ping")], max_completion_tokens: 5, stream: false }, {}],
  [
    "Dify, thinking off",
    {
      messages: hello,
      stream: true,
      enable_thinking: false,
      thinking: { type: "disabled" },
      chat_template_kwargs: { enable_thinking: false, thinking: false },
    },
    { thinking: false },
  ],
  [
    "Dify, budget",
    { messages: hello, thinking: true, thinking_budget: 2_000, enable_search: false },
    { thinking: true },
  ],
  ["RouteLLM", { messages: hello, strict: false }, { ignored: "strict" }],
  [
    "n8n, Ollama's options",
    { messages: hello, options: { temperature: 0.2, num_ctx: 4_096, num_predict: 100 }, stream: false },
    { ignored: "temperature, num_ctx" },
  ],

  // Libraries and programs.
  [
    "OpenAI SDK",
    {
      messages: [{ role: "developer", content: "Be brief." }, user("Hello")],
      store: false,
      verbosity: "low",
      service_tier: "auto",
    },
    { ignored: "verbosity" },
  ],
  [
    "OpenAI SDK, search",
    { messages: hello, web_search_options: { search_context_size: "low" } },
    { search: true },
  ],
  [
    "OpenAI SDK, old functions",
    {
      messages: [user("Hello"), { role: "function", name: "f", content: "3" }],
      functions: [weather],
      function_call: "auto",
    },
    {},
  ],
  [
    "AI SDK, tool step",
    {
      messages: after({
        content: null,
        reasoning_content: "r",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      }),
      tool_choice: "auto",
      tools: [weatherTool],
    },
    {},
  ],
  [
    "AI SDK, reasoning part",
    { messages: after({ content: [{ type: "reasoning", text: "simple" }, text("2")] }) },
    {},
  ],
  [
    "LangChain",
    { messages: hello, stream: false, temperature: 0, n: 1, response_format: { type: "text" } },
    { ignored: "temperature" },
  ],
  [
    "vLLM program",
    {
      messages: hello,
      min_tokens: 5,
      ignore_eos: true,
      skip_special_tokens: false,
      top_k: -1,
    },
    { ignored: "min_tokens, ignore_eos, skip_special_tokens" },
  ],
  [
    "SGLang program",
    { messages: hello, separate_reasoning: true, no_stop_trim: true },
    { ignored: "no_stop_trim" },
  ],
  ["llama.cpp program", { messages: hello, n_predict: 64, cache_prompt: true, grammar: "", id_slot: -1 }, {}],
  [
    "Ollama program",
    { messages: [{ ...user("Look"), images: [png] }], think: "low", format: "", keep_alive: 300 },
    { thinking: true, ignored: "keep_alive", blocks: "text file" },
  ],
  [
    "xAI program",
    { messages: hello, search_parameters: { mode: "on", max_search_results: 5 } },
    { search: true, ignored: "search_parameters.max_search_results" },
  ],
  [
    "Perplexity program",
    { messages: hello, search_recency_filter: "week", return_images: false },
    { ignored: "search_recency_filter" },
  ],
  [
    "Anthropic's parts",
    {
      messages: after({
        content: [
          { type: "thinking", thinking: "x", signature: "s" },
          { type: "redacted_thinking", data: "e" },
          text("2"),
        ],
      }),
      stop_sequences: ["X"],
    },
    {},
  ],
  [
    "Anthropic's picture",
    { messages: [user([{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }])] },
    { blocks: "file" },
  ],
  [
    "kimi-free-api",
    {
      messages: [user([{ role: "user", content: "Hello" }])],
      conversation_id: "none",
      use_search: true,
      stream: false,
    },
    { search: true },
  ],
  [
    "PHP program, base64 alone",
    { messages: [user([text("Look"), picture({ url: png })])] },
    { blocks: "text file" },
  ],
  [
    "screenshot tool, doubled prefix",
    { messages: [user([text("Look"), picture(`data:image/png;base64,${dataUrl}`)])] },
    { blocks: "text file" },
  ],
  [
    "web page, SVG as text",
    { messages: [user([text("Look"), picture({ url: "data:image/svg+xml;utf8,%3Csvg/%3E" })])] },
    { blocks: "text file" },
  ],

  // Refused for what they are.
  [
    "browser program, blob",
    { messages: [user([picture({ url: "blob:https://chat.example.org/1b2c" })])] },
    { error: "invalid_request", param: "messages[0].content[0].image_url" },
  ],
  [
    "local path",
    { messages: [user([picture({ url: "file:///home/me/a.png" })])] },
    { error: "invalid_request", param: "messages[0].content[0].image_url" },
  ],
  ["LangChain, JSON", { messages: hello, response_format: { type: "json_object" } }, { answer: "{}" }],
  ["Ollama program, JSON", { messages: hello, format: "json" }, { answer: "{}" }],
  [
    "vLLM program, choice",
    { messages: hello, extra_body: { guided_choice: ["a"] } },
    { error: "invalid_request", param: "guided_choice" },
  ],
  ["SGLang program, regex", { messages: hello, regex: "a+" }, { error: "invalid_request", param: "regex" }],
  [
    "misspelt parameter",
    { messages: hello, temprature: 1 },
    { error: "unknown_parameter", param: "temprature" },
  ],
  [
    "misspelt parameter in extra_body",
    { messages: hello, extra_body: { enable_thinkin: true } },
    { error: "unknown_parameter", param: "extra_body.enable_thinkin" },
  ],
  [
    "text for a number",
    { messages: hello, num_ctx: "large" },
    { error: "invalid_request", param: "num_ctx" },
  ],
];
