import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { contentOf, type Gateway, parseChunks, postChat, startGateway } from "../gateway.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex");
const pdf = Buffer.from("%PDF-1.4\n% CANARY\n%%EOF\n");
const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString("base64")}`;
const question = "这张图里是什么？";
const text = { type: "text", text: question };

function receivedByKimi({ simulator }: Gateway) {
  const uploads = simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).map(({ body }) => body);
  const chat = simulator.calls.findLast(({ path }) => path.endsWith("ChatService/Chat"));
  return { uploads, blocks: JSON.parse(JSON.stringify(chat?.body)).message.blocks };
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const expectedBlocks = [
  { message_id: "", text: { content: question } },
  { file: { id: expect.any(String) } },
];

/** A picture or document with a question, as each UI sends it (clients.md §2). */
const shapes: [ui: string, body: Record<string, unknown>, bytes: Buffer][] = [
  [
    "NextChat",
    {
      messages: [
        {
          role: "user",
          content: [text, { type: "image_url", image_url: { url: dataUrl("image/jpeg", jpeg) } }],
        },
      ],
      stream: true,
      model: "moonshot-v1-vision",
      temperature: 0.5,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_p: 1,
      max_tokens: 4000,
    },
    jpeg,
  ],
  [
    "LobeChat",
    {
      model: "moonshot-v1",
      stream: true,
      frequency_penalty: 0,
      presence_penalty: 0,
      temperature: 1,
      top_p: 1,
      messages: [
        {
          role: "user",
          content: [
            text,
            { type: "image_url", image_url: { url: dataUrl("image/png", png), detail: "auto" } },
          ],
        },
      ],
      user: "5f0c2d1e-0000-4000-8000-000000000000",
      stream_options: { include_usage: true },
    },
    png,
  ],
  [
    "Open WebUI, a picture",
    {
      stream: true,
      model: "kimi",
      messages: [
        {
          role: "user",
          content: [text, { type: "image_url", image_url: { url: dataUrl("image/png", png) } }],
        },
      ],
      stream_options: { include_usage: true },
    },
    png,
  ],
  [
    "Open WebUI, a document",
    {
      stream: true,
      model: "kimi",
      messages: [
        {
          role: "user",
          content: [
            text,
            { type: "file", file: { filename: "paper.pdf", file_data: dataUrl("application/pdf", pdf) } },
          ],
        },
      ],
    },
    pdf,
  ],
  [
    "Cherry Studio",
    {
      model: "kimi",
      messages: [
        { role: "system", content: "" },
        {
          role: "user",
          content: [text, { type: "image_url", image_url: { url: dataUrl("image/png", png) } }],
        },
      ],
      temperature: 0.7,
      stream: true,
      stream_options: { include_usage: true },
    },
    png,
  ],
];

test.each(shapes)("%s: question and file reach Kimi, the answer is streamed", async (_ui, body, bytes) => {
  const gateway = await startGateway();
  const response = await postChat(gateway, body);
  expect(response.status).toBe(200);
  const chunks = parseChunks(await response.text());
  expect(contentOf(chunks)).not.toBe("");
  expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop").length).toBe(1);
  const { uploads, blocks } = receivedByKimi(gateway);
  expect(uploads).toMatchObject([{ checksum: sha256(bytes), size: bytes.length }]);
  expect(blocks).toMatchObject(expectedBlocks);
});

test("the openai SDK: question, picture and document reach Kimi, the answer is streamed", async () => {
  const gateway = await startGateway();
  const stream = await gateway.client.chat.completions.create({
    model: "kimi",
    stream: true,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: question },
          { type: "image_url", image_url: { url: dataUrl("image/png", png) } },
          { type: "file", file: { filename: "paper.pdf", file_data: dataUrl("application/pdf", pdf) } },
        ],
      },
    ],
  });
  let answer = "";
  for await (const chunk of stream) answer += chunk.choices[0]?.delta.content ?? "";
  expect(answer).toContain(question);
  const { uploads, blocks } = receivedByKimi(gateway);
  expect(uploads).toMatchObject([{ checksum: sha256(png) }, { checksum: sha256(pdf), name: "paper.pdf" }]);
  expect(blocks).toMatchObject([...expectedBlocks, expectedBlocks[1]]);
});
