import { code, type Recipe, terminal, text, value } from "./recipe.js";

const context = 262_144;

/** Coding agents. */
export const agents: readonly Recipe[] = [
  {
    id: "claude-code",
    name: "Claude Code",
    group: "agent",
    steps: ({ base, key }) => [
      code(
        terminal,
        [
          `export ANTHROPIC_BASE_URL=${base}`,
          `export ANTHROPIC_AUTH_TOKEN=${key}`,
          "export ANTHROPIC_MODEL=claude-kimi",
          "export ANTHROPIC_DEFAULT_OPUS_MODEL=claude-kimi",
          "export ANTHROPIC_DEFAULT_SONNET_MODEL=claude-kimi",
          "export ANTHROPIC_DEFAULT_HAIKU_MODEL=claude-kimi",
          "export CLAUDE_CODE_MAX_RETRIES=2",
          "export CLAUDE_CODE_AUTO_COMPACT_WINDOW=200000",
          "export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
          "claude",
        ].join("\n"),
      ),
    ],
  },
  {
    id: "codex",
    name: "Codex",
    group: "agent",
    steps: ({ api, key }) => [
      code(
        "~/.codex/config.toml",
        [
          'model = "kimi"',
          'model_provider = "moonbridge"',
          `model_context_window = ${context}`,
          "model_auto_compact_token_limit = 200000",
          "",
          "[model_providers.moonbridge]",
          'name = "Moonbridge"',
          `base_url = "${api}"`,
          'env_key = "MOONBRIDGE_KEY"',
          'wire_api = "responses"',
          "request_max_retries = 1",
          "stream_max_retries = 1",
        ].join("\n"),
      ),
      code(terminal, `export MOONBRIDGE_KEY=${key}\ncodex`),
    ],
  },
  {
    id: "opencode",
    name: "opencode",
    group: "agent",
    steps: ({ api, key }) => [
      code("~/.config/opencode/opencode.json", JSON.stringify(openCodeConfig(api, key), null, 2)),
      code(terminal, "opencode"),
    ],
  },
  {
    id: "cline",
    name: "Cline",
    group: "agent",
    steps: ({ api, key }) => [
      text("On the command line:", "命令行："),
      code(terminal, `cline auth -p openai-compatible -b ${api} -k ${key} -m kimi`),
      text("In the editor: provider “OpenAI Compatible”.", "在编辑器里：服务商选“OpenAI Compatible”。"),
      value("Base URL", "Base URL", api),
      value("API key", "API Key", key),
      value("Model ID", "Model ID", "kimi"),
      value("Context window", "上下文长度", String(context)),
    ],
  },
  {
    id: "roo-code",
    name: "Roo Code",
    group: "agent",
    steps: ({ api, key }) => [
      text("Settings → Providers → “OpenAI Compatible”.", "设置 → 服务商 → “OpenAI Compatible”。"),
      value("Base URL", "Base URL", api),
      value("API key", "API Key", key),
      value("Model", "模型", "kimi"),
      value("Context window", "上下文长度", String(context)),
    ],
  },
  {
    id: "continue",
    name: "Continue",
    group: "agent",
    steps: ({ api, key }) => [
      code(
        "~/.continue/config.yaml",
        [
          "name: Moonbridge",
          "version: 1.0.0",
          "schema: v1",
          "models:",
          "  - name: Kimi",
          "    provider: openai",
          "    model: kimi",
          `    apiBase: ${api}`,
          `    apiKey: ${key}`,
          "    roles: [chat, edit, apply]",
          "    capabilities: [tool_use, image_input]",
          "    defaultCompletionOptions:",
          `      contextLength: ${context}`,
        ].join("\n"),
      ),
    ],
  },
  {
    id: "kimi-code",
    name: "kimi-code",
    group: "agent",
    steps: ({ api, key }) => [
      code(
        "~/.kimi-code/config.toml",
        [
          'default_model = "kimi"',
          "",
          "[providers.moonbridge]",
          'type = "openai"',
          `base_url = "${api}"`,
          `api_key = "${key}"`,
          "",
          "[models.kimi]",
          'provider = "moonbridge"',
          'model = "kimi"',
          `max_context_size = ${context}`,
          'capabilities = ["image_in"]',
          "",
          "[loop_control]",
          "max_attempts_per_step = 3",
        ].join("\n"),
      ),
      code(terminal, "kimi"),
    ],
  },
  {
    id: "qwen-code",
    name: "qwen-code",
    group: "agent",
    steps: ({ api, key }) => [
      code(
        terminal,
        [
          `export OPENAI_BASE_URL=${api}`,
          `export OPENAI_API_KEY=${key}`,
          "export OPENAI_MODEL=kimi",
          "qwen --auth-type openai",
        ].join("\n"),
      ),
      code(
        "~/.qwen/settings.json",
        `{ "model": { "name": "kimi", "generationConfig": { "maxRetries": 0, "contextWindowSize": ${context} } } }`,
      ),
    ],
  },
  {
    id: "aider",
    name: "aider",
    group: "agent",
    steps: ({ api, key }) => [
      code(
        terminal,
        `export OPENAI_API_BASE=${api}\nexport OPENAI_API_KEY=${key}\naider --model openai/kimi`,
      ),
    ],
  },
];

function openCodeConfig(api: string, key: string) {
  return {
    $schema: "https://opencode.ai/config.json",
    model: "moonbridge/kimi",
    provider: {
      moonbridge: {
        npm: "@ai-sdk/openai-compatible",
        name: "Moonbridge",
        options: { baseURL: api, apiKey: key },
        models: { kimi: { name: "Kimi", limit: { context, output: 32_000 } } },
      },
    },
  };
}
