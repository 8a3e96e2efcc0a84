import { createOpenAI } from "@ai-sdk/openai";
import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { dynamicTool, generateText, jsonSchema, type ModelMessage, stepCountIs, streamText } from "ai";
import OpenAI from "openai";
import { apiKey, type Gateway } from "../gateway.js";
import type { AgentTool } from "./agents.js";

type ResponsesAgent = { run(prompt: string, tools: readonly AgentTool[]): Promise<string> };
type CreateAgent = (gateway: Gateway, stream: boolean) => ResponsesAgent;

const maxSteps = 40;

/** Sends whole histories, without anything stored, as Codex does; or the new items after the last answer. */
class OpenAIAgent implements ResponsesAgent {
  readonly #client: OpenAI;
  readonly #stream: boolean;
  readonly #isStored: boolean;
  readonly #history: OpenAI.Responses.ResponseInput = [];
  #previous: string | null = null;

  constructor({ url }: Gateway, { stream, store }: { stream: boolean; store: boolean }) {
    this.#client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
    this.#stream = stream;
    this.#isStored = store;
  }

  async run(prompt: string, tools: readonly AgentTool[]): Promise<string> {
    let fresh: OpenAI.Responses.ResponseInput = [{ role: "user", content: prompt }];
    for (let step = 0; step < maxSteps; step++) {
      this.#history.push(...fresh);
      const response = await this.#create(fresh, tools);
      this.#previous = response.id;
      const answer = response.output.flatMap((item) =>
        item.type === "function_call" || item.type === "message" || item.type === "reasoning" ? [item] : [],
      );
      this.#history.push(...answer);
      fresh = answer.flatMap((item) => {
        if (item.type !== "function_call") return [];
        const output =
          tools.find(({ name }) => name === item.name)?.run(JSON.parse(item.arguments)) ?? "unknown";
        return [{ type: "function_call_output" as const, call_id: item.call_id, output }];
      });
      if (fresh.length === 0) return response.output_text;
    }
    throw new Error("the agent never came to an end");
  }

  async #create(fresh: OpenAI.Responses.ResponseInput, tools: readonly AgentTool[]) {
    const body = {
      model: "kimi",
      ...(this.#isStored
        ? { input: fresh, previous_response_id: this.#previous }
        : { input: this.#history, store: false, include: ["reasoning.encrypted_content" as const] }),
      tools: tools.map(({ name, description = null, parameters }) => ({
        type: "function" as const,
        name,
        description,
        parameters,
        strict: false,
      })),
    };
    if (!this.#stream) return this.#client.responses.create(body);
    return this.#client.responses.stream(body).finalResponse();
  }
}

class AiSdkAgent implements ResponsesAgent {
  readonly #history: ModelMessage[] = [];
  readonly #provider;
  readonly #stream: boolean;
  readonly #store: boolean;

  constructor({ url }: Gateway, { stream, store }: { stream: boolean; store: boolean }) {
    this.#provider = createOpenAI({ apiKey, baseURL: `${url}/v1` });
    this.#stream = stream;
    this.#store = store;
  }

  async run(prompt: string, tools: readonly AgentTool[]): Promise<string> {
    this.#history.push({ role: "user", content: prompt });
    const request = {
      model: this.#provider("kimi"),
      messages: [...this.#history],
      maxRetries: 0,
      stopWhen: stepCountIs(maxSteps),
      providerOptions: { openai: { store: this.#store } },
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
    this.#history.push(...messages);
    return result.text;
  }
}

class LangChainAgent implements ResponsesAgent {
  readonly #history: BaseMessage[] = [];
  readonly #model: ChatOpenAI;
  readonly #stream: boolean;

  constructor({ url }: Gateway, { stream }: { stream: boolean }) {
    const configuration = { baseURL: `${url}/v1` };
    this.#model = new ChatOpenAI({
      model: "kimi",
      apiKey,
      configuration,
      maxRetries: 0,
      useResponsesApi: true,
    });
    this.#stream = stream;
  }

  async run(prompt: string, tools: readonly AgentTool[]): Promise<string> {
    const model = this.#model.bindTools(
      tools.map(({ name, description, parameters }) => ({
        type: "function" as const,
        function: { name, description, parameters },
      })),
    );
    this.#history.push(new HumanMessage(prompt));
    for (let step = 0; step < maxSteps; step++) {
      const answer = this.#stream
        ? await gather(await model.stream(this.#history))
        : await model.invoke(this.#history);
      this.#history.push(answer);
      const calls = answer.tool_calls ?? [];
      if (calls.length === 0) return answer.text;
      for (const { id = "", name, args } of calls) {
        const content = tools.find((tool) => tool.name === name)?.run(args) ?? "unknown";
        this.#history.push(new ToolMessage({ tool_call_id: id, content }));
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

/** The agents of the SDKs that speak the Responses API. */
export const responsesAgents: [name: string, create: CreateAgent][] = [
  ["openai, whole histories", (gateway, stream) => new OpenAIAgent(gateway, { stream, store: false })],
  ["openai, previous_response_id", (gateway, stream) => new OpenAIAgent(gateway, { stream, store: true })],
  ["the AI SDK, item references", (gateway, stream) => new AiSdkAgent(gateway, { stream, store: true })],
  ["the AI SDK, store: false", (gateway, stream) => new AiSdkAgent(gateway, { stream, store: false })],
  ["LangChain", (gateway, stream) => new LangChainAgent(gateway, { stream })],
];
