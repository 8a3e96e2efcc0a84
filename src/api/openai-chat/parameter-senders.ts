/**
 * Clients that send a parameter, or whose users write programs with it, and the page that documents it or reports that a
 * service refused it.
 */
export type Sender = { clients: string; source: string };

const github = (path: string) => `https://github.com/${path}`;
export const openAi: Sender = {
  clients: "OpenAI",
  source: "https://platform.openai.com/docs/api-reference/chat/create",
};
export const moonshot: Sender = { clients: "Moonshot", source: "https://platform.kimi.ai/docs/openapi.json" };
export const kimiFreeApi: Sender = { clients: "kimi-free-api", source: github("LLM-Red-Team/kimi-free-api") };
export const moonbridge: Sender = { clients: "Moonbridge", source: github("moonbridge-gateway/moonbridge") };
export const claudeCode: Sender = {
  clients: "Claude Code",
  source: "https://docs.claude.com/en/api/messages",
};
export const codex: Sender = { clients: "Codex", source: github("openai/codex") };
export const ollama: Sender = { clients: "Ollama", source: github("ollama/ollama/blob/main/docs/api.md") };
export const openWebUi = (issue: number): Sender => ({
  clients: "Open WebUI",
  source: github(`open-webui/open-webui/issues/${issue}`),
});
export const copilot: Sender = { clients: "Copilot", source: github("github/app/issues/3536") };
export const copilotJetBrains: Sender = { clients: "Copilot", source: github("linux-do/override/issues/18") };
export const openRouter: Sender = {
  clients: "OpenRouter, SillyTavern",
  source: "https://openrouter.ai/docs/api-reference/overview",
};
export const libreChat = (path: string): Sender => ({
  clients: "LibreChat",
  source: github(`danny-avila/LibreChat/${path}`),
});
export const vllm: Sender = {
  clients: "vLLM",
  source: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
};
export const sglang: Sender = {
  clients: "SGLang",
  source: "https://docs.sglang.io/basic_usage/sampling_params.html",
};
export const llamaCpp: Sender = {
  clients: "llama.cpp, SillyTavern",
  source: github("ggml-org/llama.cpp/blob/master/tools/server/README.md"),
};
export const liteLlm: Sender = {
  clients: "LiteLLM",
  source: "https://docs.litellm.ai/docs/completion/input",
};
export const liteLlmProxy: Sender = {
  clients: "LiteLLM",
  source: "https://docs.litellm.ai/docs/proxy/user_keys",
};
export const liteLlmFallbacks: Sender = {
  clients: "LiteLLM",
  source: "https://docs.litellm.ai/docs/proxy/client_side_fallbacks",
};
export const qwen: Sender = {
  clients: "Qwen, Dify",
  source: "https://hexdocs.pm/req_llm/ReqLLM.Providers.Alibaba.html",
};
export const dify: Sender = {
  clients: "Dify, Qwen",
  source: github("langgenius/dify-official-plugins/issues/2651"),
};
export const xAi: Sender = { clients: "xAI", source: "https://docs.x.ai/docs/guides/live-search" };
export const perplexity: Sender = {
  clients: "Perplexity",
  source: "https://docs.perplexity.ai/api-reference/chat-completions-post",
};
export const mistral: Sender = { clients: "Mistral", source: "https://docs.mistral.ai/api/" };
export const groq: Sender = { clients: "Groq", source: "https://console.groq.com/docs/reasoning" };
export const zAi: Sender = { clients: "Z.ai", source: "https://docs.z.ai/api-reference/llm/chat-completion" };
export const gemini: Sender = { clients: "Gemini", source: "https://ai.google.dev/gemini-api/docs/openai" };
export const lmStudio: Sender = {
  clients: "LM Studio",
  source: "https://lmstudio.ai/docs/app/api/endpoints/openai",
};
export const miniMax: Sender = {
  clients: "MiniMax",
  source: "https://platform.minimax.io/docs/api-reference/text-openai-api",
};
export const routeLlm: Sender = { clients: "RouteLLM, pi", source: github("earendil-works/pi/pull/1173") };
export const liteLlmDropParams: Sender = {
  clients: "LiteLLM",
  source: "https://docs.litellm.ai/docs/completion/drop_params",
};
