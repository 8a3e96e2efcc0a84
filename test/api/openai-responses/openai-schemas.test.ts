import { expect, test } from "vitest";
import { startGateway } from "../../gateway.js";
import { openAiSchemas } from "../../openai-schemas.js";
import { codexRequest, inputText, user } from "./codex-requests.js";
import { post, streamEvents } from "./event-stream.js";

/** OpenAI's names of the events, where they do not follow from the type. */
const names: Partial<{ [type: string]: string }> = {
  error: "ResponseErrorEvent",
  "response.output_text.delta": "ResponseTextDeltaEvent",
  "response.output_text.done": "ResponseTextDoneEvent",
};

/** `response.output_item.added` is `ResponseOutputItemAddedEvent`. */
function schemaName(type: string): string {
  const words = type.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return names[type] ?? `${words.join("")}Event`;
}

test("responses, their events and errors conform to OpenAI's own schemas", async () => {
  const expectConforming = openAiSchemas("openai-responses-schemas.json");
  const gateway = await startGateway();
  const bodies: Record<string, unknown>[] = [
    codexRequest([user(inputText('sim:think sim:call exec_command {"cmd":"ls"}'))]),
    codexRequest([user(inputText('sim:call apply_patch {"input":"x"}'))]),
    codexRequest([user(inputText("hello")), { type: "compaction_trigger" }]),
    { input: "sim:think search for the moon", tools: [{ type: "web_search" }] },
    { input: "sim:repeat=400", max_output_tokens: 20 },
    { input: "sim:fault=cut,3 sim:repeat=20" },
  ];
  const types = new Set<string>();
  for (const body of bodies) {
    for (const event of await streamEvents(gateway, body)) {
      types.add(event.type);
      expectConforming(schemaName(event.type), event);
    }
    const response = await post(gateway, { model: "kimi", ...body, stream: false });
    expectConforming(response.ok ? "Response" : "ErrorResponse", await response.json());
  }
  expect(types.size).toBe(24);
});
