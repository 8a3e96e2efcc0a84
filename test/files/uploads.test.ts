import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Gateway, post, startGateway } from "../gateway.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const pdf = Buffer.from("%PDF-1.4\n% CANARY: not much of a document\n%%EOF\n");

const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString("base64")}`;
const picture = { type: "image_url", image_url: { url: dataUrl("image/png", png), detail: "auto" } };
const document = { type: "file", file: { filename: "报告.pdf", file_data: dataUrl("application/pdf", pdf) } };
const text = (value: string) => ({ type: "text", text: value });

function say(gateway: Gateway, content: unknown, history: readonly unknown[] = []): Promise<Response> {
  return post(gateway, { model: "kimi", messages: [...history, { role: "user", content }] });
}

function uploads({ simulator }: Gateway) {
  return simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).map(({ body }) => body);
}

function blocks({ simulator }: Gateway): unknown {
  const { body } = simulator.calls.findLast(({ path }) => path.endsWith("ChatService/Chat")) ?? {};
  return JSON.parse(JSON.stringify(body)).message.blocks;
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("pictures and files in messages", () => {
  test("reach Kimi byte for byte, with name and type, behind the text", async () => {
    const gateway = await startGateway();
    const response = await say(gateway, [text("What is on it?"), picture, document]);
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
    expect(uploads(gateway)).toMatchObject([
      { name: "image.png", contentType: "image/png", size: png.length, checksum: sha256(png) },
      { name: "报告.pdf", contentType: "application/pdf", size: pdf.length, checksum: sha256(pdf) },
    ]);
    const file = { file: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), status: "PROCESS_STATUS_SUCCESS" } };
    expect(blocks(gateway)).toEqual([{ message_id: "", text: { content: "What is on it?" } }, file, file]);
  });

  test("the same bytes are uploaded once, and not sent again in a thread that has them", async () => {
    const gateway = await startGateway();
    const question = [text("What is on it?"), picture];
    const first = JSON.parse(await (await say(gateway, question)).text());
    await say(gateway, [text("Something else"), picture]);
    expect(uploads(gateway).length).toBe(1);
    const history = [
      { role: "user", content: question },
      { role: "assistant", content: first.choices[0].message.content },
    ];
    await say(gateway, "And what else?", history);
    expect(blocks(gateway)).toEqual([{ message_id: "", text: { content: "And what else?" } }]);
    expect(uploads(gateway).length).toBe(1);
  });

  test("another picture is another history", async () => {
    const gateway = await startGateway();
    const first = JSON.parse(await (await say(gateway, [text("What is it?"), picture])).text());
    const other = { type: "image_url", image_url: dataUrl("image/png", pdf) };
    await say(gateway, "And?", [
      { role: "user", content: [text("What is it?"), other] },
      { role: "assistant", content: first.choices[0].message.content },
    ]);
    expect(blocks(gateway)).toMatchObject([
      { text: { content: expect.stringMatching(/^user: What is it\?\[attachment 1\]/) } },
      { file: {} },
    ]);
  });

  test("a picture alone is a message", async () => {
    const gateway = await startGateway();
    await say(gateway, [picture]);
    expect(blocks(gateway)).toMatchObject([{ file: {} }]);
  });

  test.each([
    ["a link", { type: "image_url", image_url: { url: "https://example.org/a.png" } }, "invalid_request"],
    ["an unknown id", { type: "file", file: { file_id: "file-1" } }, "invalid_request"],
    ["nothing", { type: "image_url", image_url: { url: "data:image/png;base64," } }, "invalid_request"],
    [
      "what Kimi cannot read",
      { type: "file", file: { filename: "unparsable.pdf", file_data: dataUrl("application/pdf", pdf) } },
      "file_rejected",
    ],
  ])("%s is refused with the reason, and nothing is asked of Kimi's chat", async (_what, part, code) => {
    const gateway = await startGateway();
    const response = await say(gateway, [text("Look"), part]);
    expect(response.status).toBe(400);
    const { error } = JSON.parse(await response.text());
    expect(error.code).toBe(code);
    expect(error.param).toBe("messages[0].content[1]");
    expect(gateway.simulator.counts().chats).toBe(0);
  });
});
