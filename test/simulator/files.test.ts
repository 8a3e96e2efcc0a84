import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { callUnary, chatRequest, sendChat, toRecord, trailerOf } from "./client.js";

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator();
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

async function upload(name: string, type: string, content: Iterable<Buffer>) {
  function* body() {
    yield Buffer.from(
      `--B\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
    );
    yield* content;
    yield Buffer.from("\r\n--B--\r\n");
  }
  const response = await request(`${simulator.url}/apiv2-files/file/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "multipart/form-data; boundary=B" },
    body: Readable.from(body()),
  });
  return { status: response.statusCode, body: toRecord(await response.body.json()) };
}

async function pollProgress(id: unknown) {
  const response = await request(
    `${simulator.url}/apiv2-files/kimi.gateway.file.v1.FileService/GetFileParseProgress`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ file_ids: [id] }),
    },
  );
  return toRecord(await response.body.json()).progresses;
}

test("an image is uploaded, parsed and shown in the chat", async () => {
  const content = Buffer.from("\r\n--not the boundary\r\n--");
  const { status, body } = await upload("图 1.png", "image/png", [content]);
  const file = toRecord(body.file);
  expect(status).toBe(200);
  expect(file).toMatchObject({
    meta: {
      name: "图 1.png",
      ext: "png",
      sizeBytes: String(content.length),
      checksum: createHash("sha256").update(content).digest("hex"),
      type: "FILE_TYPE_IMAGE",
    },
    parseResult: { thumbnail: {} },
  });
  expect(await pollProgress(file.id)).toEqual([{ fileId: file.id, status: "PROCESS_STATUS_PROCESSING" }]);
  expect(await pollProgress(file.id)).toEqual([{ fileId: file.id, status: "PROCESS_STATUS_SUCCESS" }]);

  const blocks = [
    { message_id: "", text: { content: "Describe it" } },
    { file: { id: file.id, status: "PROCESS_STATUS_SUCCESS" } },
  ];
  const frames = await sendChat(simulator, token, chatRequest("", { message: { blocks } }));
  expect(frames[3]?.json).toMatchObject({
    op: "append",
    mask: "chat.files",
    chat: { files: [{ id: file.id, parseResult: { thumbnail: {} } }] },
  });
  expect(frames[5]?.json.message).toMatchObject({
    blocks: [{}, { file: { id: file.id, meta: { ext: "png" } } }],
  });
});

test("a document that nobody polled cannot be attached yet, an image can", async () => {
  const attach = async (id: unknown) => {
    const blocks = [{ file: { id, status: "PROCESS_STATUS_SUCCESS" } }];
    return trailerOf(await sendChat(simulator, token, chatRequest("", { message: { blocks } })));
  };
  const image = toRecord((await upload("a.png", "image/png", [Buffer.from("x")])).body.file);
  expect(await attach(image.id)).toEqual({});

  const document = toRecord((await upload("a.pdf", "application/pdf", [Buffer.from("%PDF")])).body.file);
  const getFile = async () =>
    (await callUnary(simulator, "kimi.gateway.chat.v1.FileService/GetFile", { fileId: document.id }, token))
      .body;
  expect(await attach(document.id)).toMatchObject({ error: { code: "failed_precondition" } });
  expect(await getFile()).toMatchObject({ file: { ...document, status: "PROCESS_STATUS_PROCESSING" } });
  await pollProgress(document.id);
  await pollProgress(document.id);
  expect(await attach(document.id)).toEqual({});
  expect(await getFile()).toMatchObject({ file: { ...document, status: "PROCESS_STATUS_SUCCESS" } });
});

test("parsing fails for a document with “unparsable” in its name", async () => {
  const { body } = await upload("unparsable.pdf", "application/pdf", [Buffer.from("%PDF")]);
  const { id } = toRecord(body.file);
  await pollProgress(id);
  expect(await pollProgress(id)).toEqual([{ fileId: id, status: "PROCESS_STATUS_FAILED" }]);
});

test("an upload of a hundred megabytes is accepted and keeps only its metadata", async () => {
  const megabyte = Buffer.alloc(1_048_576, 7);
  const { body } = await upload("large.bin", "application/octet-stream", Array<Buffer>(100).fill(megabyte));
  expect(toRecord(body.file).meta).toMatchObject({ sizeBytes: "104857600", type: "FILE_TYPE_DOCUMENT" });
});

test("a form that arrives byte by byte is parsed", async () => {
  const content = Array.from("\r\n--A\r\n\r\n--", (byte) => Buffer.from(byte));
  const { body } = await upload("a.txt", "text/plain", content);
  expect(toRecord(body.file).meta).toMatchObject({ sizeBytes: "11", contentType: "text/plain" });
});

test("an upload that is not a form is refused", async () => {
  const response = await request(`${simulator.url}/apiv2-files/file/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "text/plain" },
    body: "hello",
  });
  expect(response.statusCode).toBe(400);
  expect(await response.body.json()).toMatchObject({ code: "invalid_argument" });
});
