import { code, type Recipe, text, value } from "./recipe.js";

const model = "kimi";

/** Chat interfaces and the hubs behind them. */
export const uis: readonly Recipe[] = [
  {
    id: "nextchat",
    name: "NextChat",
    group: "ui",
    steps: ({ base, key }) => [
      text("Settings → switch on “Custom Endpoint”.", "设置 → 打开“自定义接口”。"),
      value("Endpoint, without /v1", "接口地址，不带 /v1", base),
      value("API key", "API Key", key),
      value(
        "Custom model; it fetches no list",
        "自定义模型名，它不会获取列表",
        "moonshot-v1,moonshot-v1-vision,kimi-thinking",
      ),
      text("For pictures choose moonshot-v1-vision.", "要发图片，请选 moonshot-v1-vision。"),
    ],
  },
  {
    id: "lobechat",
    name: "LobeChat",
    group: "ui",
    steps: ({ api, key }) => [
      text("Settings → AI provider → OpenAI.", "设置 → AI 服务商 → OpenAI。"),
      value("API key", "API Key", key),
      value("API proxy address, with /v1", "API 代理地址，带 /v1", api),
      text(
        "“Get model list”, switch on the models you want, then “Check”.",
        "点“获取模型列表”，启用需要的模型，再点“检查”。",
      ),
    ],
  },
  {
    id: "open-webui",
    name: "Open WebUI",
    group: "ui",
    steps: ({ api, key }) => [
      text("Admin settings → Connections → OpenAI API → add.", "管理员设置 → 外部连接 → OpenAI API → 添加。"),
      value("URL, with /v1", "URL，带 /v1", api),
      value("Key", "密钥", key),
      text(
        "Admin settings → Interface: set the task model to kimi, so that titles and tags cost no search.",
        "管理员设置 → 界面：任务模型设为 kimi，生成标题和标签就不会用到搜索。",
      ),
      text(
        "If it runs in a container, 127.0.0.1 is that container: use an address of this machine there.",
        "如果它运行在容器里，127.0.0.1 指的是容器自己，请换成本机的其他地址。",
      ),
    ],
  },
  {
    id: "cherry-studio",
    name: "Cherry Studio",
    group: "ui",
    steps: ({ base, key }) => [
      text("Settings → Model provider → add, of the type OpenAI.", "设置 → 模型服务 → 添加，类型选 OpenAI。"),
      value("API host, without /v1", "API 地址，不带 /v1", base),
      value("API key", "API 密钥", key),
      text(
        "“Manage” lists the models; add those you want, such as kimi.",
        "点“管理”列出模型，添加需要的，比如 kimi。",
      ),
    ],
  },
  {
    id: "chatbox",
    name: "Chatbox",
    group: "ui",
    steps: ({ api, key }) => [
      text(
        "Settings → Model provider → add custom provider, OpenAI compatible.",
        "设置 → 模型提供方 → 添加自定义提供方，选 OpenAI 兼容。",
      ),
      value("API host", "API 主机", api),
      value("API key", "API 密钥", key),
      text("“Fetch” the models and choose kimi.", "点“获取”模型，选择 kimi。"),
    ],
  },
  {
    id: "dify",
    name: "Dify",
    group: "ui",
    steps: ({ api, key }) => [
      text(
        "Install the plugin “OpenAI-API-compatible” and add a model of the type LLM.",
        "安装插件“OpenAI-API-compatible”，添加 LLM 类型的模型。",
      ),
      value("Model name", "模型名称", model),
      value("API endpoint URL, with /v1", "API endpoint URL，带 /v1", api),
      value("API key", "API Key", key),
      value("Model context size", "模型上下文长度", "262144"),
      text(
        "Completion mode: Chat. Stream delimiter: \\n\\n.",
        "Completion mode 选“对话”，流模式分隔符填 \\n\\n。",
      ),
    ],
  },
  {
    id: "one-api",
    name: "one-api / new-api",
    group: "ui",
    steps: ({ base, key }) => [
      text("Channels → add, of the type OpenAI.", "渠道 → 添加，类型选 OpenAI。"),
      value("Base URL, without /v1", "Base URL，不带 /v1", base),
      value("Key", "密钥", key),
      value("Models", "模型", "moonshot-v1,kimi,kimi-thinking,kimi-search"),
    ],
  },
  {
    id: "ollama-client",
    name: "Ollama API",
    group: "ui",
    steps: ({ base, key }) => [
      text(
        "For programs that know Ollama only, such as JetBrains AI Assistant or Home Assistant.",
        "适用于只支持 Ollama 的程序，比如 JetBrains AI Assistant、Home Assistant。",
      ),
      value("Server address", "服务器地址", base),
      value("API key, where there is a field for it", "API 密钥，有这一栏时填写", key),
      text(
        "For programs that insist on port 11434 and send no key, put this into config.json.",
        "有的程序只认 11434 端口，也不发密钥，请在 config.json 里加上：",
      ),
      code("config.json", `{ "server": { "alsoListen": [11434], "keylessLoopback": true } }`),
    ],
  },
];
