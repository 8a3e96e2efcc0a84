import { expect, test } from "vitest";
import { type JsonObject, objectsIn } from "../../../src/lib/json.js";
import { contentOf, type Gateway, parseChunks, postChat, startGateway } from "../../gateway.js";
import { type RequestShape, requestShapes } from "./client-request-shapes.js";

/** The body of the last chat request that Kimi received. */
function lastChat({ simulator }: Gateway): { tools: unknown[]; options: JsonObject; blocks: JsonObject[] } {
  const { body } = simulator.calls.findLast(({ path }) => path.endsWith("ChatService/Chat")) ?? {};
  const { tools, options, message } = JSON.parse(JSON.stringify(body));
  return { tools, options, blocks: objectsIn(message.blocks) };
}

/** Sends the request; returns the parts of its outcome that the table expects. */
async function outcomeOf(gateway: Gateway, [, body, expected]: RequestShape): Promise<JsonObject> {
  const response = await postChat(gateway, { model: "kimi", ...body });
  const answer = await response.text();
  if (!response.ok) {
    const { error } = JSON.parse(answer);
    return { status: response.status, error: error.code, param: error.param };
  }
  const said =
    body.stream === true ? contentOf(parseChunks(answer)) : JSON.parse(answer).choices[0].message.content;
  const { tools, options, blocks } = lastChat(gateway);
  const ignored = response.headers.get("x-moonbridge-ignored");
  return {
    answer: said,
    ...(ignored === null ? {} : { ignored }),
    ...("thinking" in expected ? { thinking: options.thinking } : {}),
    ...("search" in expected ? { search: tools.length > 0 } : {}),
    ...("blocks" in expected
      ? { blocks: blocks.map((block) => (block.file ? "file" : "text")).join(" ") }
      : {}),
  };
}

test("requests of real clients are understood, or refused by name", async () => {
  expect(requestShapes.length).toBeGreaterThanOrEqual(60);
  const script = ({ text }: { text: string }) => {
    const isFormatted = text.includes("one JSON object and nothing else");
    return [{ do: "text" as const, content: isFormatted ? "{}" : "ok" }];
  };
  const gateway = await startGateway({ simulator: { script } });
  const outcomes: Record<string, JsonObject> = {};
  const expectations: Record<string, JsonObject> = {};
  for (const shape of requestShapes) {
    const [client, , expected] = shape;
    outcomes[client] = await outcomeOf(gateway, shape);
    expectations[client] = "error" in expected ? { status: 400, ...expected } : { answer: "ok", ...expected };
  }
  expect(outcomes).toEqual(expectations);
  expect(Object.keys(outcomes).length).toBe(requestShapes.length);
}, 60_000);
