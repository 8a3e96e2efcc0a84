import type OpenAI from "openai";
import { expect, test } from "vitest";
import { objectsIn } from "../../../src/lib/json.js";
import { delta, done, twoCallsStream, usage } from "../../fixtures/moonshot.js";
import { gatewayTo, json, startPlatform, stream } from "./scripted-platform.js";

/** A typical tool loop: the SDK runs both functions and sends their results. */
function toolLoop(calledCities: string[]) {
  const weather: Record<string, string> = { Paris: "18C", Oslo: "9C" };
  return {
    model: "kimi-k2.6",
    messages: [{ role: "user" as const, content: "CANARY Weather in Paris and Oslo?" }],
    tools: [
      {
        type: "function" as const,
        function: {
          name: "get_weather",
          description: "The weather in a city",
          parameters: {
            type: "object" as const,
            properties: { city: { type: "string" as const } },
            required: ["city"],
          },
          parse: (text: string): { city: string } => JSON.parse(text),
          function: ({ city }: { city: string }) => {
            calledCities.push(city);
            return weather[city] ?? "";
          },
        },
      },
    ],
  };
}

const calls = [
  { id: "get_weather:0", type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
  { id: "get_weather:1", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
];

const results = [
  { role: "tool", tool_call_id: "get_weather:0", content: "18C" },
  { role: "tool", tool_call_id: "get_weather:1", content: "9C" },
];

test("the official SDK runs two parallel calls of a stream and gets the answer", async () => {
  const platform = await startPlatform();
  const { client } = await gatewayTo(platform);
  const final = [
    delta({ role: "assistant", content: "" }),
    delta({ content: "Mild." }),
    delta({}, "stop"),
    done,
  ];
  platform.respondWith(stream(...twoCallsStream), stream(...final));
  const calledCities: string[] = [];
  const runner = client.chat.completions.runTools({ ...toolLoop(calledCities), stream: true });
  expect(await runner.finalContent()).toBe("Mild.");
  expect(calledCities).toEqual(["Paris", "Oslo"]);
  const messages = objectsIn(platform.calls[1]?.body.messages);
  expect(messages[1]).toMatchObject({
    role: "assistant",
    reasoning_content: expect.any(String),
    tool_calls: calls,
  });
  expect(messages.slice(2)).toEqual(results);
});

test("reasoning is sent back unchanged if the client sends the message back", async () => {
  const platform = await startPlatform();
  const { client } = await gatewayTo(platform);
  const message = {
    role: "assistant",
    content: "",
    reasoning_content: "Need both cities.",
    tool_calls: calls,
  };
  const heading = {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "kimi-k2.6",
    usage,
  };
  const final = { role: "assistant", content: "Mild." };
  platform.respondWith(
    json(200, { ...heading, choices: [{ index: 0, message, finish_reason: "tool_calls" }] }),
    json(200, { ...heading, choices: [{ index: 0, message: final, finish_reason: "stop" }] }),
  );
  const { model, messages } = toolLoop([]);
  const first = await client.chat.completions.create({ model, messages });
  const answered = results.map((result) => ({ ...result, role: "tool" as const }));
  const turns = first.choices.map((choice) => choice.message);
  await client.chat.completions.create({ model, messages: [...messages, ...turns, ...answered] });
  expect(platform.calls[1]?.body.messages).toEqual([
    ...messages,
    { role: "assistant", reasoning_content: "Need both cities.", tool_calls: calls },
    ...results,
  ]);
});

test("empty reasoning is added to calls of a history without reasoning", async () => {
  const platform = await startPlatform();
  const { client } = await gatewayTo(platform);
  const final = [
    delta({ role: "assistant", content: "" }),
    delta({ content: "Mild." }),
    delta({}, "stop"),
    done,
  ];
  platform.respondWith(stream(...final));
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
    { role: "user", content: "CANARY" },
    { role: "assistant", content: null, tool_calls: calls.map((call) => ({ ...call, type: "function" })) },
    ...results.map((result) => ({ ...result, role: "tool" as const })),
  ];
  const answer = client.chat.completions.stream({ model: "kimi-k3", messages });
  expect(await answer.finalContent()).toBe("Mild.");
  expect(objectsIn(platform.calls[0]?.body.messages)[1]).toEqual({
    role: "assistant",
    tool_calls: calls,
    reasoning_content: "",
  });
});
