import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { ChatAnthropic } from "@langchain/anthropic";
import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import {
  dynamicTool,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  stepCountIs,
  streamText,
} from "ai";
import OpenAI from "openai";
import type { Tool } from "../../src/core/types.js";
import { apiKey, type Gateway } from "../gateway.js";

/** A function and what the agent does for a call of it. */
export type AgentTool = Tool & { run: (args: Record<string, unknown>) => string };

type RunOptions = { tools: readonly AgentTool[]; toolChoice?: "auto" | "none" };

/** An agent as a program has it: keeps the history, and runs the functions that the model calls until it answers. */
export type Agent = {
  /** Messages in the client's own form; shortening it goes back to an earlier state. */
  readonly history: unknown[];
  /** Resolves to the model's text. */
  run(prompt: string, options: RunOptions): Promise<string>;
};

type AgentOptions = { gateway: Gateway; fetch: typeof fetch; stream: boolean };

export const maxSteps = 40;

class OpenAIAgent implements Agent {
  readonly history: OpenAI.ChatCompletionMessageParam[] = [];
  readonly #client: OpenAI;
  readonly #stream: boolean;

  constructor({ gateway, fetch, stream }: AgentOptions) {
    this.#client = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0, fetch });
    this.#stream = stream;
  }

  async run(prompt: string, { tools, toolChoice = "auto" }: RunOptions): Promise<string> {
    this.history.push({ role: "user", content: prompt });
    const body = {
      model: "kimi",
      messages: [...this.history],
      tool_choice: toolChoice,
      tools: tools.map(({ name, description = "", parameters, run }) => ({
        type: "function" as const,
        function: { name, description, parameters, parse: JSON.parse, function: run },
      })),
    };
    const { completions } = this.#client.chat;
    const limit = { maxChatCompletions: maxSteps };
    const runner = this.#stream
      ? completions.runTools({ ...body, stream: true }, limit)
      : completions.runTools(body, limit);
    const text = await runner.finalContent();
    this.history.splice(0, Number.POSITIVE_INFINITY, ...runner.messages);
    return text ?? "";
  }
}

class AnthropicAgent implements Agent {
  readonly history: Anthropic.MessageParam[] = [];
  readonly #client: Anthropic;
  readonly #stream: boolean;

  constructor({ gateway, fetch, stream }: AgentOptions) {
    this.#client = new Anthropic({ apiKey, baseURL: gateway.url, maxRetries: 0, fetch });
    this.#stream = stream;
  }

  async run(prompt: string, { tools, toolChoice = "auto" }: RunOptions): Promise<string> {
    this.history.push({ role: "user", content: prompt });
    for (let step = 0; step < maxSteps; step++) {
      const { content } = await this.#send(tools, toolChoice);
      this.history.push({ role: "assistant", content });
      const calls = content.filter((block) => block.type === "tool_use");
      if (calls.length === 0)
        return content.map((block) => (block.type === "text" ? block.text : "")).join("");
      const results = calls.map(({ id, name, input }) => ({
        type: "tool_result" as const,
        tool_use_id: id,
        content: tools.find((tool) => tool.name === name)?.run({ ...Object(input) }) ?? "unknown",
      }));
      this.history.push({ role: "user", content: results });
    }
    throw new Error("the agent never came to an end");
  }

  #send(tools: RunOptions["tools"], toolChoice: "auto" | "none"): Promise<Anthropic.Message> {
    const body = {
      model: "kimi",
      max_tokens: 4_096,
      messages: this.history,
      tool_choice: { type: toolChoice },
      tools: tools.map(({ name, description = "", parameters }) => ({
        name,
        description,
        input_schema: { ...parameters, type: "object" as const },
      })),
    };
    return this.#stream
      ? this.#client.messages.stream(body).finalMessage()
      : this.#client.messages.create(body);
  }
}

type CreateModel = (options: AgentOptions) => LanguageModel;

const openAiCompatibleModel: CreateModel = ({ gateway, fetch }) =>
  createOpenAICompatible({ name: "moonbridge", apiKey, baseURL: `${gateway.url}/v1`, fetch })("kimi");

const anthropicModel: CreateModel = ({ gateway, fetch }) =>
  createAnthropic({ apiKey, baseURL: `${gateway.url}/v1`, fetch })("kimi");

type ProviderOptions = NonNullable<Parameters<typeof generateText>[0]["providerOptions"]>;

export class AiSdkAgent implements Agent {
  readonly history: ModelMessage[] = [];
  readonly #model: LanguageModel;
  readonly #stream: boolean;
  readonly #providerOptions: ProviderOptions;

  constructor(model: LanguageModel, stream: boolean, providerOptions: ProviderOptions = {}) {
    this.#model = model;
    this.#stream = stream;
    this.#providerOptions = providerOptions;
  }

  async run(prompt: string, { tools, toolChoice = "auto" }: RunOptions): Promise<string> {
    this.history.push({ role: "user", content: prompt });
    const request = {
      model: this.#model,
      messages: [...this.history],
      toolChoice,
      providerOptions: this.#providerOptions,
      maxOutputTokens: 4_096,
      maxRetries: 0,
      stopWhen: stepCountIs(maxSteps),
      tools: Object.fromEntries(
        tools.map(({ name, description, parameters, run }) => [
          name,
          dynamicTool({
            ...(description === undefined ? {} : { description }),
            inputSchema: jsonSchema(parameters),
            execute: async (args) => run({ ...Object(args) }),
          }),
        ]),
      ),
    };
    const result = this.#stream ? streamText(request) : await generateText(request);
    const { messages } = await result.response;
    this.history.push(...messages);
    return result.text;
  }
}

function chatOpenAi({ gateway, fetch }: AgentOptions): ChatOpenAI {
  const configuration = { baseURL: `${gateway.url}/v1`, fetch };
  return new ChatOpenAI({ model: "kimi", apiKey, configuration, maxRetries: 0 });
}

function chatAnthropic({ gateway, fetch }: AgentOptions): ChatAnthropic {
  return new ChatAnthropic({
    model: "kimi",
    apiKey,
    anthropicApiUrl: gateway.url,
    clientOptions: { fetch },
    maxRetries: 0,
  });
}

export class LangChainAgent implements Agent {
  readonly history: BaseMessage[] = [];
  readonly #model: ChatOpenAI | ChatAnthropic;
  readonly #stream: boolean;

  constructor(model: ChatOpenAI | ChatAnthropic, stream: boolean) {
    this.#model = model;
    this.#stream = stream;
  }

  async run(prompt: string, { tools, toolChoice = "auto" }: RunOptions): Promise<string> {
    const declared = tools.map(({ name, description, parameters }) => ({
      type: "function" as const,
      function: { name, description, parameters },
    }));
    const model = this.#model.bindTools(declared, { tool_choice: toolChoice });
    this.history.push(new HumanMessage(prompt));
    for (let step = 0; step < maxSteps; step++) {
      const answer = this.#stream
        ? await gather(await model.stream(this.history))
        : await model.invoke(this.history);
      this.history.push(answer);
      const calls = answer.tool_calls ?? [];
      if (calls.length === 0) return answer.text;
      for (const { id = "", name, args } of calls) {
        const content = tools.find((tool) => tool.name === name)?.run(args) ?? "unknown";
        this.history.push(new ToolMessage({ tool_call_id: id, content }));
      }
    }
    throw new Error("the agent never came to an end");
  }
}

async function gather(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessage> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of stream) whole = whole?.concat(chunk) ?? chunk;
  const { content = "", tool_calls = [] } = whole ?? {};
  return new AIMessage({ content, tool_calls });
}

type CreateAgent = (options: AgentOptions) => Agent;

export const createAgent: CreateAgent = (options) => new OpenAIAgent(options);

/** The agents of the SDKs that most programs use. */
export const agents: [name: string, create: CreateAgent][] = [
  ["openai's runTools", createAgent],
  ["the AI SDK", (options) => new AiSdkAgent(openAiCompatibleModel(options), options.stream)],
  ["LangChain's bindTools", (options) => new LangChainAgent(chatOpenAi(options), options.stream)],
  ["Anthropic's SDK", (options) => new AnthropicAgent(options)],
  ["the AI SDK over Messages", (options) => new AiSdkAgent(anthropicModel(options), options.stream)],
  ["LangChain over Messages", (options) => new LangChainAgent(chatAnthropic(options), options.stream)],
];
