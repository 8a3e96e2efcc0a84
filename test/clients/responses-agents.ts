import { createOpenAI } from "@ai-sdk/openai";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { apiKey, type Gateway } from "../gateway.js";
import { type Agent, type AgentTool, AiSdkAgent, LangChainAgent, maxSteps } from "./agents.js";

type CreateAgent = (gateway: Gateway, stream: boolean) => Agent;

/** Sends whole histories, without anything stored, as Codex does; or the new items after the last answer. */
class OpenAIAgent implements Agent {
  readonly #client: OpenAI;
  readonly #stream: boolean;
  readonly #isStored: boolean;
  readonly history: OpenAI.Responses.ResponseInput = [];
  #previous: string | null = null;

  constructor({ url }: Gateway, { stream, store }: { stream: boolean; store: boolean }) {
    this.#client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
    this.#stream = stream;
    this.#isStored = store;
  }

  async run(prompt: string, { tools }: { tools: readonly AgentTool[] }): Promise<string> {
    let fresh: OpenAI.Responses.ResponseInput = [{ role: "user", content: prompt }];
    for (let step = 0; step < maxSteps; step++) {
      this.history.push(...fresh);
      const response = await this.#create(fresh, tools);
      this.#previous = response.id;
      const answer = response.output.flatMap((item) =>
        item.type === "function_call" || item.type === "message" || item.type === "reasoning" ? [item] : [],
      );
      this.history.push(...answer);
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
        : { input: this.history, store: false, include: ["reasoning.encrypted_content" as const] }),
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

function aiSdkAgent({ url }: Gateway, { stream, store }: { stream: boolean; store: boolean }): Agent {
  const model = createOpenAI({ apiKey, baseURL: `${url}/v1` })("kimi");
  return new AiSdkAgent(model, stream, { openai: { store } });
}

function langChainAgent({ url }: Gateway, stream: boolean): Agent {
  const configuration = { baseURL: `${url}/v1` };
  const model = new ChatOpenAI({
    model: "kimi",
    apiKey,
    configuration,
    maxRetries: 0,
    useResponsesApi: true,
  });
  return new LangChainAgent(model, stream);
}

/** The agents of the SDKs that speak the Responses API. */
export const responsesAgents: [name: string, create: CreateAgent][] = [
  ["openai, whole histories", (gateway, stream) => new OpenAIAgent(gateway, { stream, store: false })],
  ["openai, previous_response_id", (gateway, stream) => new OpenAIAgent(gateway, { stream, store: true })],
  ["the AI SDK, item references", (gateway, stream) => aiSdkAgent(gateway, { stream, store: true })],
  ["the AI SDK, store: false", (gateway, stream) => aiSdkAgent(gateway, { stream, store: false })],
  ["LangChain", (gateway, stream) => langChainAgent(gateway, stream)],
];
