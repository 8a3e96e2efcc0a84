import { expect, test } from "vitest";
import { RejectedAnswerError } from "../../src/chat/tools/rejected-answer.js";
import type { TransformFactory } from "../../src/chat/transforms/transform.js";
import { delta, done } from "../fixtures/moonshot.js";
import { apiKey, chatBody } from "../gateway.js";
import { gatewayTo, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

/** Rejects each answer with this text, and says so to the model the next time. */
const rejecting =
  (wrong: string): TransformFactory =>
  () => {
    let isRejected = false;
    return {
      request: (request) => {
        const part = { type: "text" as const, text: "Not that." };
        const messages = [...request.messages, { role: "user" as const, content: [part] }];
        return isRejected ? { ...request, messages } : request;
      },
      events: (sink) => (events) => {
        if (!events.some((event) => event.type === "text" && event.text === wrong)) return sink(events);
        isRejected = true;
        throw new RejectedAnswerError(false);
      },
    };
  };

test("an answer that is rejected is asked for again, also from an upstream without conversations", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, { preset: "generic" }, { transforms: [rejecting("prose")] });
  platform.respondWith(
    stream(delta({ role: "assistant", content: "prose" }), delta({}, "stop"), done),
    stream(delta({ role: "assistant", content: "{}" }), delta({}, "stop"), done),
  );
  // Requests of chat completions are relayed as they came.
  const response = await fetch(`${gateway.url}/api/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ ...chatBody("hi"), model: "kimi-k2.6", stream: false }),
  });
  expect(await response.json()).toMatchObject({ message: { content: "{}" } });
  const sent = platform.calls.map(({ body }) => body.messages);
  expect(sent).toEqual([
    [{ role: "user", content: "hi" }],
    [
      { role: "user", content: "hi" },
      { role: "user", content: "Not that." },
    ],
  ]);
});
