import { join } from "node:path";
import { expect, test } from "vitest";
import { apiKey, startGateway } from "../gateway.js";
import { runDriver } from "./run-driver.js";
import { versionOf } from "./version-of.js";

const driver = join(import.meta.dirname, "openai-7", "driver.mjs");
const person = { name: expect.any(String), age: expect.any(Number) };
const failure = { message: expect.stringMatching(/Kimi/), requestID: expect.stringMatching(/^req_/) };

const expected: Record<string, object> = {
  "responses.create": { object: "response", status: "completed", output_text: "Hello, 月亮" },
  "responses.stream": {
    types: [
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ],
    response: { status: "completed", output: [{ type: "reasoning" }, { type: "message" }] },
  },
  "responses.parse": { output_parsed: person },
  "responses.retrieve": {
    output_text: "Kept",
    data: [{ type: "message", role: "user", content: "sim:say=Kept" }],
    afterwards: { class: "NotFoundError", status: 404, code: "not_found" },
  },
  "responses with a tool": { status: "completed", output_text: expect.stringContaining("the sum is 3") },
  "responses of a failure": {
    atOnce: { class: "RateLimitError", status: 429, code: "rate_limit_exceeded", ...failure },
    inTheMiddle: { class: "APIError", code: "upstream_cut", ...failure },
    model: { class: "NotFoundError", status: 404, code: "model_not_found" },
  },
  "chat.completions.create": { choices: [{ finish_reason: "stop", message: { content: "Hello" } }] },
  "chat.completions.stream": {
    content: "Hello, 月亮",
    completion: { choices: [{ finish_reason: "stop", message: { content: "Hello, 月亮" } }] },
  },
  "chat.completions.parse": { choices: [{ message: { parsed: person } }] },
  "chat.completions.runTools": {
    added: [{ a: 1, b: 2 }],
    content: expect.stringContaining("the sum is 3"),
  },
  files: {
    created: { object: "file", filename: "words.txt", bytes: 12 },
    retrieved: { filename: "words.txt" },
    content: "CANARY words",
    deleted: { deleted: true },
  },
  "models.list": { ids: expect.arrayContaining(["kimi"]), one: { id: "kimi", object: "model" } },
};

test.each(Object.entries(expected))(`openai ${versionOf("openai-7")} on Node 22: %s`, async (name, data) => {
  const { url } = await startGateway({ logLevel: "info" });
  const [line] = await runDriver(driver, { baseURL: `${url}/v1`, apiKey, name });
  expect(line).toMatchObject({ type: name, data });
});
