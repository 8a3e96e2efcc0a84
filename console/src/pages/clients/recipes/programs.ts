import { code, type Recipe, terminal } from "./recipe.js";

/** SDKs, and a request by hand. */
export const programs: readonly Recipe[] = [
  {
    id: "curl",
    name: "curl",
    group: "program",
    steps: ({ api, key }) => [
      code(
        terminal,
        [
          `curl -N ${api}/chat/completions \\`,
          `  -H "Authorization: Bearer ${key}" \\`,
          '  -H "Content-Type: application/json" \\',
          `  -d '{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好！"}]}'`,
        ].join("\n"),
      ),
    ],
  },
  {
    id: "openai-python",
    name: "OpenAI SDK, Python",
    group: "program",
    steps: ({ api, key }) => [
      code(terminal, "pip install openai"),
      code(
        "Python",
        [
          "from openai import OpenAI",
          "",
          `client = OpenAI(base_url="${api}", api_key="${key}")`,
          "answer = client.chat.completions.create(",
          '    model="kimi",',
          '    messages=[{"role": "user", "content": "你好！"}],',
          ")",
          "print(answer.choices[0].message.content)",
        ].join("\n"),
      ),
    ],
  },
  {
    id: "openai-node",
    name: "OpenAI SDK, TypeScript",
    group: "program",
    steps: ({ api, key }) => [
      code(terminal, "npm install openai"),
      code(
        "TypeScript",
        [
          'import OpenAI from "openai";',
          "",
          `const client = new OpenAI({ baseURL: "${api}", apiKey: "${key}" });`,
          "const stream = await client.chat.completions.create({",
          '  model: "kimi",',
          "  stream: true,",
          '  messages: [{ role: "user", content: "你好！" }],',
          "});",
          'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");',
        ].join("\n"),
      ),
    ],
  },
  {
    id: "anthropic-sdk",
    name: "Anthropic SDK",
    group: "program",
    steps: ({ base, key }) => [
      code(terminal, "npm install @anthropic-ai/sdk"),
      code(
        "TypeScript",
        [
          'import Anthropic from "@anthropic-ai/sdk";',
          "",
          `const client = new Anthropic({ baseURL: "${base}", apiKey: "${key}" });`,
          "const message = await client.messages.create({",
          '  model: "kimi",',
          "  max_tokens: 4096,",
          '  messages: [{ role: "user", content: "你好！" }],',
          "});",
          "console.log(message.content);",
        ].join("\n"),
      ),
    ],
  },
  {
    id: "ai-sdk",
    name: "AI SDK",
    group: "program",
    steps: ({ api, key }) => [
      code(terminal, "npm install ai @ai-sdk/openai-compatible"),
      code(
        "TypeScript",
        [
          'import { createOpenAICompatible } from "@ai-sdk/openai-compatible";',
          'import { streamText } from "ai";',
          "",
          `const moonbridge = createOpenAICompatible({ name: "moonbridge", baseURL: "${api}", apiKey: "${key}" });`,
          'const { textStream } = streamText({ model: moonbridge("kimi"), prompt: "你好！" });',
          "for await (const text of textStream) process.stdout.write(text);",
        ].join("\n"),
      ),
    ],
  },
  {
    id: "langchain",
    name: "LangChain",
    group: "program",
    steps: ({ api, key }) => [
      code(terminal, "npm install @langchain/openai"),
      code(
        "TypeScript",
        [
          'import { ChatOpenAI } from "@langchain/openai";',
          "",
          "const model = new ChatOpenAI({",
          '  model: "kimi",',
          `  apiKey: "${key}",`,
          `  configuration: { baseURL: "${api}" },`,
          "});",
          'console.log((await model.invoke("你好！")).content);',
        ].join("\n"),
      ),
    ],
  },
];
