import { describe, expect, test } from "vitest";
import { parseModels } from "../../../src/upstreams/openai/models.js";
import { OpenAiUpstream } from "../../../src/upstreams/openai/upstream.js";
import { nonStreamedAnswer } from "../../fixtures/moonshot.js";
import { chatBody, postChat } from "../../gateway.js";
import { gatewayTo, json, startPlatform } from "./scripted-platform.js";

const modelList = {
  data: [
    { id: "moonshot-v1-8k", context_length: 8_192 },
    {
      id: "kimi-k3",
      display_name: "K3",
      owned_by: "moonshot",
      context_length: 1_048_576,
      supports_reasoning: true,
      supports_image_in: true,
    },
    { id: "kimi-k2.7-code-highspeed", supports_reasoning: true, supports_image_in: false },
    { id: "kimi-k2.6", supports_reasoning: true, context_length: -1 },
    {
      id: "kimi-k4",
      supports_thinking_type: "both",
      think_efforts: { support: true, valid_efforts: ["high", "low"] },
    },
    { id: "kimi-k5", supports_thinking_type: "no", supports_reasoning: true },
    { display_name: "no id" },
    "not a model",
  ],
};

const options = { preset: "moonshot" as const, defaultModel: undefined, models: undefined };

describe("the list of models", () => {
  test("has the abilities of each model and the default", () => {
    expect(parseModels(modelList, options)).toMatchObject([
      {
        id: "moonshot-v1-8k",
        name: "moonshot-v1-8k",
        contextLength: 8_192,
        thinking: ["off"],
        isDefault: false,
      },
      {
        id: "kimi-k3",
        name: "K3",
        thinking: ["low", "high", "max"],
        inputs: ["text", "image"],
        isDefault: true,
      },
      { id: "kimi-k2.7-code-highspeed", thinking: ["low"], inputs: ["text"], isDefault: false },
      { id: "kimi-k2.6", thinking: ["off", "low"], contextLength: undefined },
      { id: "kimi-k4", thinking: ["off", "low", "high"] },
      { id: "kimi-k5", thinking: ["off"] },
    ]);
  });

  test("has only the configured models, including those that the service does not list", () => {
    const models = parseModels(modelList, {
      ...options,
      models: ["kimi-k2.6", "kimi-secret"],
      defaultModel: "kimi-secret",
    });
    expect(models.map(({ id, isDefault }) => [id, isDefault])).toEqual([
      ["kimi-k2.6", false],
      ["kimi-secret", true],
    ]);
  });

  test("of an engine: its first model is the default, with its context length and all efforts", () => {
    const engine = {
      data: [{ id: "moonshotai/Kimi-K2-Thinking", owned_by: "vllm", max_model_len: 131_072 }],
    };
    expect(parseModels(engine, { ...options, preset: "generic" })).toMatchObject([
      { owner: "vllm", contextLength: 131_072, thinking: ["off", "low", "high", "max"], isDefault: true },
    ]);
  });
});

test("applies the platform's rules to its own hosts only, unless the config sets a preset", async () => {
  const detail = async (baseUrl: string, preset?: "generic") => {
    const upstream = new OpenAiUpstream({ name: "x", baseUrl, ...(preset ? { preset } : {}) });
    await upstream.close();
    return upstream.status().detail;
  };
  expect(await detail("https://api.moonshot.cn/v1")).toMatch(/^The Moonshot platform/);
  expect(await detail("https://api.moonshot.ai/v1")).toMatch(/^The Moonshot platform/);
  expect(await detail("https://api.moonshot.ai/v1", "generic")).toMatch(/^The service of “x”/);
  expect(await detail("https://moonshot.ai.example/v1")).toMatch(/^The service of “x”/);
});

describe("behind the gateway", () => {
  test("the models are listed beside the others, with their owner", async () => {
    const platform = await startPlatform();
    const { client } = await gatewayTo(platform);
    const models = (await client.models.list()).data;
    expect(models.find(({ id }) => id === "kimi-k3")).toMatchObject({
      owned_by: "moonshot",
      context_length: 1_048_576,
      architecture: { input_modalities: ["text", "image"] },
      supports_reasoning: true,
    });
    expect(models.map(({ id }) => id)).toContain("k2d6-chat");
  });

  test("a route maps a custom name, and kimi if the upstream comes first, to its default model", async () => {
    const platform = await startPlatform();
    const routes = { "gpt-4o": ["platform"], kimi: ["platform", "me"] };
    const gateway = await gatewayTo(platform, { defaultModel: "kimi-k3" }, { routes });
    platform.respondWith(json(200, nonStreamedAnswer));
    for (const model of ["gpt-4o", "kimi", "kimi-thinking"])
      await postChat(gateway, { ...chatBody("hi"), model });
    expect(platform.calls.map(({ body }) => body.model)).toEqual(["kimi-k3", "kimi-k3", "kimi-k3"]);
    expect(
      (await postChat(gateway, { ...chatBody("hi"), model: "moonshot-v1" })).headers.get(
        "x-moonbridge-upstream",
      ),
    ).toBe("me");
  });

  test("a service without a list has the configured models", async () => {
    const platform = await startPlatform();
    platform.respondToModelsWith(json(404, {}));
    const gateway = await gatewayTo(platform, { preset: "generic", models: ["a/b"], apiKey: "CANARY" });
    platform.respondWith(json(200, nonStreamedAnswer));
    expect((await postChat(gateway, { ...chatBody("hi"), model: "a/b" })).status).toBe(200);
  });

  test("a service that refuses the key does not affect other upstreams, and its error says why", async () => {
    const platform = await startPlatform();
    platform.respondToModelsWith(json(401, { error: { message: "Invalid Authentication" } }));
    const gateway = await gatewayTo(platform);
    expect((await postChat(gateway, chatBody("hi"))).status).toBe(200);
    expect((await gateway.client.models.list()).data.map(({ id }) => id)).toContain("kimi");
    const refused = await postChat(gateway, { ...chatBody("hi"), model: "kimi-k3" });
    expect(refused.status).toBe(424);
    expect(await refused.json()).toMatchObject({ error: { code: "account_login_required" } });

    platform.respondToModelsWith(json(200, modelList));
    platform.respondWith(json(200, nonStreamedAnswer));
    await postChat(gateway, { ...chatBody("hi"), model: "kimi-k3" });
    expect((await postChat(gateway, { ...chatBody("hi"), model: "kimi-k3" })).status).toBe(200);
  });
});
