import { describe, expect, test } from "vitest";
import { delta, done, nonStreamedAnswer } from "../fixtures/moonshot.js";
import { chatBody, type KimiKind, postChat, startGateway } from "../gateway.js";
import { gatewayTo, json, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

const tool = { type: "function", function: { name: "f", parameters: { type: "object" } } };
const named = { type: "function", function: { name: "f" } };
const jsonSchema = { type: "json_schema", json_schema: { name: "n", schema: { type: "object" } } };

/** Requests that force a call or a format, by the parameter that does. */
const requirements: [parameter: string, fields: Record<string, unknown>][] = [
  ["tool_choice", { tools: [tool], tool_choice: "required" }],
  ["tool_choice", { tools: [tool], tool_choice: named }],
  ["tool_choice", { tools: [tool], tool_choice: { type: "any" } }],
  ["function_call", { functions: [tool.function], function_call: { name: "f" } }],
  ["response_format", { response_format: { type: "grammar" } }],
  ["text", { text: { format: { type: "json_schema", schema: {} } } }],
  ["output_config", { output_config: { format: { type: "json_schema", schema: {} } } }],
];

describe.each<KimiKind>(["kimi-web", "kimi-legacy"])("on %s", (kind) => {
  test.each(requirements)(
    "a request that requires %s is a 400 by name with a remedy: %j",
    async (param, fields) => {
      const gateway = await startGateway({ kind, toolMode: "off" });
      for (const isStreamed of [true, false]) {
        const response = await postChat(gateway, chatBody("hello", { ...fields, stream: isStreamed }));
        expect(response.status).toBe(400);
        expect(response.headers.get("x-should-retry")).toBe("false");
        expect(await response.json()).toEqual({
          error: {
            message: expect.stringMatching(
              new RegExp(`^${param}: .*cannot .*\\. .* upstream of kind openai`),
            ),
            type: "invalid_request_error",
            param,
            code: "invalid_request",
          },
        });
      }
      expect(gateway.simulator.counts().chats).toBe(0);
    },
  );
});

test("a required call is refused if there is no function to call", async () => {
  const gateway = await startGateway();
  const response = await postChat(gateway, chatBody("hello", { tool_choice: "required" }));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { param: "tool_choice", message: expect.stringContaining("tools has no function") },
  });
});

test("with tools off, tools that the model may use as it likes are named as ignored, in a header and a notice", async () => {
  const gateway = await startGateway({ toolMode: "off" });
  for (const choice of ["auto", "none", { type: "auto" }, {}, null, undefined]) {
    const response = await postChat(gateway, chatBody("hello", { tools: [tool], tool_choice: choice }));
    expect([response.status, response.headers.get("x-moonbridge-ignored")]).toEqual([200, "tools"]);
    expect(await response.text()).toContain("tools_off");
  }
});

test("beside a format that is kept, a wish that is not is named as ignored", async () => {
  const gateway = await startGateway();
  const fields = { response_format: jsonSchema, verbosity: "low", temperature: 0.3 };
  const response = await postChat(gateway, chatBody("hello", fields));
  expect([response.status, response.headers.get("x-moonbridge-ignored")]).toEqual([
    200,
    "verbosity, temperature",
  ]);
});

test("a forced search and a format of text are answered", async () => {
  const gateway = await startGateway();
  const search = { tools: [{ type: "web_search_preview" }], tool_choice: "required" };
  for (const fields of [search, { response_format: { type: "text" } }, { response_format: {}, text: {} }])
    expect((await postChat(gateway, chatBody("hello", fields))).status).toBe(200);
});

const formats: typeof requirements = [
  ["response_format", { response_format: jsonSchema }],
  ["response_format", { response_format: { type: "json_object" } }],
];

test.each([...requirements.filter(([, { tools, response_format }]) => tools ?? response_format), ...formats])(
  "an OpenAI-compatible upstream gets %s as it was sent: %j",
  async (parameter, fields) => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform, { preset: "generic" });
    platform.respondWith(json(200, nonStreamedAnswer));
    const response = await postChat(gateway, { ...chatBody("hello", fields), model: "kimi-k3" });
    expect([response.status, response.headers.get("x-moonbridge-upstream")]).toEqual([200, "platform"]);
    expect(platform.calls[0]?.body[parameter]).toEqual(fields[parameter]);
  },
);

test("a forced call in the old form, which Moonshot drops, is refused", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  const fields = { functions: [tool.function], function_call: { name: "f" } };
  const response = await postChat(gateway, { ...chatBody("hello", fields), model: "kimi-k3" });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param: "function_call" } });
  expect(platform.calls).toEqual([]);
});

test("of several upstreams of a route the first that honours the format answers, and none that does not", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, {}, { routes: { kimi: ["me", "platform"] } });
  const answer = [
    delta({ role: "assistant", content: "" }),
    delta({ content: "{}" }),
    delta({}, "stop"),
    done,
  ];
  platform.respondWith(stream(...answer));
  const body = chatBody("hello", { stream: true, response_format: { type: "grammar" } });
  const response = await postChat(gateway, body);
  expect([response.status, response.headers.get("x-moonbridge-upstream")]).toEqual([200, "platform"]);
  expect(await response.text()).toContain("[DONE]");
  platform.respondWith(json(503, {}));
  expect((await postChat(gateway, body)).status).toBe(503);
  expect(gateway.simulator.counts().chats).toBe(0);
});
