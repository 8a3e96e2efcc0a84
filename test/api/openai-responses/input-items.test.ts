import { describe, expect, test } from "vitest";
import { placeItems, readItems } from "../../../src/api/openai-responses/input-items.js";
import { seal } from "../../../src/api/openai-responses/sealed-items.js";
import { GatewayError } from "../../../src/core/errors.js";
import { TextSealer } from "../../../src/lib/text-sealer.js";

const sealer = new TextSealer("secret");
const text = (value: string) => [{ type: "text", text: value }];
const read = (input: string | readonly unknown[]) => readItems(placeItems(input), sealer);

function failure(input: readonly unknown[]): GatewayError {
  try {
    read(input);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error("it was read");
}

describe("input", () => {
  test("is a text, or messages with and without a type, of every role", () => {
    expect(read("Hello")).toEqual([{ role: "user", content: text("Hello") }]);
    const input = [
      { role: "developer", content: "Be brief." },
      { role: "system", content: [{ type: "input_text", text: "Be kind." }] },
      {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "Hi" }],
        id: "msg_1",
        status: "completed",
      },
      {
        role: "assistant",
        content: [
          { type: "output_text", text: "Hello" },
          { type: "refusal", refusal: "No." },
        ],
      },
      "And now?",
    ];
    expect(read(input)).toEqual([
      { role: "system", content: text("Be brief.") },
      { role: "system", content: text("Be kind.") },
      { role: "user", content: text("Hi") },
      { role: "assistant", content: [...text("Hello"), ...text("No.")] },
      { role: "user", content: text("And now?") },
    ]);
  });

  test("has the items of one turn in one message, as chat completions do", () => {
    const input = [
      { role: "user", content: "Go." },
      { type: "reasoning", summary: [], encrypted_content: seal(sealer, "reasoning", "Hm.") },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look. " }] },
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "I call." }] },
      { type: "function_call", call_id: "c1", name: "run", arguments: '{"a":1}' },
      { type: "function_call", call_id: "c2", name: "spawn", namespace: "agents", arguments: "{}" },
      { type: "custom_tool_call", call_id: "c3", name: "patch", input: "*** x" },
      { type: "local_shell_call", call_id: "c4", action: { type: "exec", command: ["ls"] } },
      { type: "function_call_output", call_id: "c1", output: "one" },
      {
        type: "custom_tool_call_output",
        call_id: "c3",
        output: [{ type: "input_text", text: "three" }, { type: "odd" }],
      },
    ];
    expect(read(input)).toEqual([
      { role: "user", content: text("Go.") },
      {
        role: "assistant",
        reasoning: "Hm.",
        content: [...text("I look. "), ...text("I call.")],
        toolCalls: [
          { id: "c1", name: "run", arguments: '{"a":1}' },
          { id: "c2", name: "agents__spawn", arguments: "{}" },
          { id: "c3", name: "patch", arguments: '{"input":"*** x"}' },
          { id: "c4", name: "local_shell", arguments: '{"type":"exec","command":["ls"]}' },
        ],
      },
      { role: "tool", toolCallId: "c1", name: "run", content: text("one") },
      {
        role: "tool",
        toolCallId: "c3",
        name: "patch",
        content: [...text("three"), ...text('{"type":"odd"}')],
      },
    ]);
  });

  test("keeps two answers apart that follow each other", () => {
    const input = ["One.", "Two."].map((content) => ({ role: "assistant", content }));
    expect(read([...input, { role: "user", content: "Go on." }])[0]).toEqual({
      role: "assistant",
      content: [...text("One."), ...text("\n\n"), ...text("Two.")],
    });
  });

  test("leaves out items of unknown types, and reasoning that another service has sealed", () => {
    const input = [
      { type: "ghost_snapshot", ghost_commit: {} },
      { type: "reasoning", summary: [{ type: "summary_text", text: "x" }], encrypted_content: "gAAAA" },
      { role: "user", content: "Hi" },
      {},
    ];
    expect(read(input)).toEqual([{ role: "user", content: text("Hi") }]);
  });

  test("has pictures and files in every form, also in what a tool returns", () => {
    const parts = [
      { type: "input_image", image_url: "data:image/png;base64,aGVsbG8=", detail: "auto" },
      { type: "input_image", image_url: "https://example.org/a.png" },
      { type: "input_image", file_id: "file-1" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGVsbG8=" },
      { type: "input_file", file_url: "https://example.org/a.pdf" },
      { type: "input_file", file_id: "file-2" },
    ];
    const sources = [
      { kind: "bytes", base64: "aGVsbG8=" },
      { kind: "link", url: "https://example.org/a.png" },
      { kind: "file-id", id: "file-1" },
      { kind: "bytes", base64: "aGVsbG8=" },
      { kind: "link", url: "https://example.org/a.pdf" },
      { kind: "file-id", id: "file-2" },
    ];
    const messages = read([
      { role: "user", content: parts },
      { type: "function_call_output", call_id: "c", output: parts },
    ]);
    for (const { content } of messages) expect(content.map((part) => Object(part).source)).toEqual(sources);
    expect(messages[0]?.content[3]).toMatchObject({
      type: "file",
      name: "a.pdf",
      path: "input[0].content[3]",
    });
  });

  test.each([
    [[{ role: "robot", content: "x" }], "input[0].role"],
    [[{ role: "user", content: [{ type: "input_audio" }] }], "input[0].content[0]"],
    [[{ role: "user", content: [{ type: "hologram" }] }], "input[0].content[0].type"],
    [[{ role: "user", content: 7 }], "input[0].content"],
    [[{ type: "function_call", arguments: "{}" }], "input[0].name"],
    [[7], "input[0]"],
  ])("is refused with the field's path: %j", (input, param) => {
    expect(failure(input)).toMatchObject({ code: "invalid_request", param });
  });
});
