import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toFile } from "openai";
import { describe, expect, onTestFinished, test } from "vitest";
import { sideRequests, trickyChat } from "../chat/side-request-prompts.js";
import { chatBody, type Gateway, postChat, startGateway } from "../gateway.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const pdf = Buffer.from("%PDF-1.4\n% CANARY: not much of a document\n%%EOF\n");

const dataUrl = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString("base64")}`;
const picture = { type: "image_url", image_url: { url: dataUrl("image/png", png), detail: "auto" } };
const document = { type: "file", file: { filename: "报告.pdf", file_data: dataUrl("application/pdf", pdf) } };
const text = (value: string) => ({ type: "text", text: value });

function sendMessage(
  gateway: Gateway,
  content: unknown,
  history: readonly unknown[] = [],
): Promise<Response> {
  return postChat(gateway, { model: "kimi", messages: [...history, { role: "user", content }] });
}

function uploadedBodies({ simulator }: Gateway) {
  return simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).map(({ body }) => body);
}

function lastBlocks({ simulator }: Gateway): unknown {
  const { body } = simulator.calls.findLast(({ path }) => path.endsWith("ChatService/Chat")) ?? {};
  return JSON.parse(JSON.stringify(body)).message.blocks;
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("pictures and files in messages", () => {
  test("are uploaded to Kimi byte for byte, with name and type, and follow the text", async () => {
    const gateway = await startGateway();
    const response = await sendMessage(gateway, [text("What is on it?"), picture, document]);
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
    expect(uploadedBodies(gateway)).toMatchObject([
      { name: "image.png", contentType: "image/png", size: png.length, checksum: sha256(png) },
      { name: "报告.pdf", contentType: "application/pdf", size: pdf.length, checksum: sha256(pdf) },
    ]);
    const file = { file: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), status: "PROCESS_STATUS_SUCCESS" } };
    expect(lastBlocks(gateway)).toEqual([
      { message_id: "", text: { content: "What is on it?" } },
      file,
      file,
    ]);
  });

  test("are uploaded once per content, and not attached again in a thread that has them", async () => {
    const gateway = await startGateway();
    const question = [text("What is on it?"), picture];
    const first = JSON.parse(await (await sendMessage(gateway, question)).text());
    await sendMessage(gateway, [text("Something else"), picture]);
    expect(uploadedBodies(gateway).length).toBe(1);
    const history = [
      { role: "user", content: question },
      { role: "assistant", content: first.choices[0].message.content },
    ];
    await sendMessage(gateway, "And what else?", history);
    expect(lastBlocks(gateway)).toEqual([{ message_id: "", text: { content: "And what else?" } }]);
    expect(uploadedBodies(gateway).length).toBe(1);
  });

  test("start a new chat if a picture of the history differs", async () => {
    const gateway = await startGateway();
    const first = JSON.parse(await (await sendMessage(gateway, [text("What is it?"), picture])).text());
    const other = { type: "image_url", image_url: dataUrl("image/png", pdf) };
    await sendMessage(gateway, "And?", [
      { role: "user", content: [text("What is it?"), other] },
      { role: "assistant", content: first.choices[0].message.content },
    ]);
    expect(lastBlocks(gateway)).toMatchObject([
      { text: { content: expect.stringMatching(/^user: What is it\?\[attachment 1\]/) } },
      { file: {} },
    ]);
  });

  test("may consist of a picture alone", async () => {
    const gateway = await startGateway();
    await sendMessage(gateway, [picture]);
    expect(lastBlocks(gateway)).toMatchObject([{ file: {} }]);
  });

  test.each([
    ["an unknown id", { type: "file", file: { file_id: "file-1" } }, "invalid_request"],
    ["an id that is a path", { type: "file", file: { file_id: "../state.db" } }, "invalid_request"],
    ["nothing", { type: "image_url", image_url: { url: "data:image/png;base64," } }, "invalid_request"],
    [
      "a link to this machine",
      { type: "file_url", file_url: { url: "http://127.0.0.1/a.pdf" } },
      "link_forbidden",
    ],
    [
      "what Kimi cannot read",
      { type: "file", file: { filename: "unparsable.pdf", file_data: dataUrl("application/pdf", pdf) } },
      "file_rejected",
    ],
  ])("are refused with the reason and without a chat for %s", async (_what, part, code) => {
    const gateway = await startGateway();
    const response = await sendMessage(gateway, [text("Look"), part]);
    expect(response.status).toBe(400);
    const { error } = JSON.parse(await response.text());
    expect(error.code).toBe(code);
    expect(error.param).toBe("messages[0].content[1]");
    expect(gateway.simulator.counts().chats).toBe(0);
  });

  test("are refused with their number if a message has too many", async () => {
    const gateway = await startGateway();
    const response = await sendMessage(gateway, [text("Look"), ...Array.from({ length: 51 }, () => picture)]);
    expect(await response.json()).toMatchObject({
      error: { param: "messages", message: expect.stringMatching(/51 pictures and files; at most 50/) },
    });
    expect(uploadedBodies(gateway)).toEqual([]);
  });

  test("are refused if Kimi has no room for files, while chats without files still work", async () => {
    const gateway = await startGateway();
    gateway.simulator.faultUpload({ code: "resource_exhausted", paywall: true });
    const response = await sendMessage(gateway, [text("Look"), picture]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "file_rejected",
        param: "messages[0].content[1]",
        message: expect.stringMatching(/no room/),
      },
    });
    expect((await sendMessage(gateway, "And without?")).status).toBe(200);
  });

  test("time out if Kimi does not finish reading a file", async () => {
    const gateway = await startGateway({ timeouts: { idle: 5_000, progress: 5_000, parse: 0 } });
    const file = { filename: "endless.pdf", file_data: dataUrl("application/pdf", pdf) };
    const response = await sendMessage(gateway, [text("Look"), { type: "file", file }]);
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/too long to read/) },
    });
  });
});

const docx = Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(70_000, "CANARY docx ")]);
const docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** How a message refers to a file. */
type FileSource = "a data URL" | "a link" | "an id";
const fileSources: FileSource[] = ["a data URL", "a link", "an id"];
const sampleFiles: [name: string, type: string, bytes: Buffer][] = [
  ["paper.pdf", "application/pdf", pdf],
  ["letter.docx", docxType, docx],
  ["dot.png", "image/png", png],
];

/** A web server on this machine with the sample files; it records its requests. */
async function webServer(): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const found = sampleFiles.find(([name]) => request.url === `/${name}`);
    const [, type, bytes] = found ?? ["", "text/html", Buffer.alloc(0)];
    response.writeHead(found || request.url === "/page" ? 200 : 404, { "content-type": type }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address: AddressInfo | string | null = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, requests };
}

async function createPart(
  source: FileSource,
  gateway: Gateway,
  site: string,
  [name, type, bytes]: (typeof sampleFiles)[number],
) {
  const image = type.startsWith("image/");
  switch (source) {
    case "a data URL": {
      const url = dataUrl(type, bytes);
      return image
        ? { type: "input_image", image_url: url }
        : { type: "input_file", filename: name, file_data: url };
    }
    case "a link": {
      const url = `${site}/${name}`;
      return image ? { type: "image_url", image_url: { url } } : { type: "file_url", file_url: { url } };
    }
    case "an id": {
      const file = await toFile(bytes, name, { type });
      const { id } = await gateway.client.files.create({ file, purpose: "user_data" });
      return image ? { type: "input_image", file_id: id } : { type: "file", file: { file_id: id } };
    }
  }
}

describe("the same bytes from different sources", () => {
  test.each(sampleFiles.flatMap((file) => fileSources.map((source) => [file[0], source, file] as const)))(
    "are uploaded once: %s, first from %s",
    async (_name, firstSource, file) => {
      const gateway = await startGateway({ files: { allowPrivateLinks: true } });
      const site = await webServer();
      for (const source of [firstSource, ...fileSources]) {
        const response = await sendMessage(gateway, [
          text("Look"),
          await createPart(source, gateway, site.url, file),
        ]);
        expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
        expect(lastBlocks(gateway)).toMatchObject([{ text: {} }, { file: { id: expect.any(String) } }]);
      }
      const [name, contentType, bytes] = file;
      const sent = uploadedBodies(gateway);
      expect(sent).toMatchObject([{ contentType, size: bytes.length, checksum: sha256(bytes) }]);
      if (!contentType.startsWith("image/") || firstSource !== "a data URL")
        expect(sent).toMatchObject([{ name }]);
    },
  );
});

describe("a picture that is a web page", () => {
  const page = Buffer.from("\ufeff\n<!DOCTYPE html><html><body>Please log in</body></html>");

  /** A web server on this machine that sends the page for every path, as this media type. */
  async function pageServer(type: string | undefined): Promise<string> {
    const server = createServer((_request, response) => {
      response.writeHead(200, type === undefined ? {} : { "content-type": type }).end(page);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address: AddressInfo | string | null = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  test.each([
    ["text/html; charset=utf-8"],
    ["application/xhtml+xml"],
    ["image/png"],
    ["text/plain"],
    [undefined],
  ])("is refused and not uploaded if the link's server calls it %s", async (type) => {
    const gateway = await startGateway({ files: { allowPrivateLinks: true } });
    const url = `${await pageServer(type)}/cat.png`;
    const response = await sendMessage(gateway, [text("Look"), { type: "image_url", image_url: { url } }]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "file_rejected",
        param: "messages[0].content[1]",
        message: expect.stringMatching(/leads to a web page, not to a picture/),
      },
    });
    expect(uploadedBodies(gateway)).toEqual([]);
  });

  test("is refused inside the request too, while a page as a file is uploaded", async () => {
    const gateway = await startGateway();
    for (const url of [dataUrl("text/html", page), dataUrl("image/png", page)]) {
      const response = await sendMessage(gateway, [text("Look"), { type: "image_url", image_url: { url } }]);
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(/it is a web page/);
    }
    const file = { filename: "page.html", file_data: dataUrl("text/html", page) };
    expect((await sendMessage(gateway, [text("Read"), { type: "file", file }])).status).toBe(200);
    expect(uploadedBodies(gateway)).toHaveLength(1);
  });
});

describe("links in the text of a prompt", () => {
  const filesConfig = { allowPrivateLinks: true, promptLinks: "documents" };

  test("are attached for documents and pictures; web pages are left to Kimi", async () => {
    const gateway = await startGateway({ files: filesConfig });
    const { url, requests } = await webServer();
    const words = `总结 ${url}/paper.pdf，再看看${url}/dot.png。And ${url}/page?`;
    const response = await sendMessage(gateway, words);
    expect(response.status).toBe(200);
    expect(await response.json()).not.toHaveProperty("moonbridge_notices");
    expect(lastBlocks(gateway)).toMatchObject([{ text: { content: words } }, { file: {} }, { file: {} }]);
    expect(uploadedBodies(gateway)).toMatchObject([{ checksum: sha256(pdf) }, { checksum: sha256(png) }]);
    expect(requests.filter((each) => each.endsWith("/page"))).toEqual(["HEAD /page"]);
  });

  test("stay links with a notice if they cannot be read", async () => {
    const gateway = await startGateway({ files: filesConfig });
    const { url } = await webServer();
    const response = await sendMessage(gateway, `What is at ${url}/gone.pdf ?`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      moonbridge_notices: [
        { code: "link_not_read", message: expect.stringMatching(/was not read here.*404/) },
      ],
    });
  });

  test("are not requested if they lead to a private address", async () => {
    const gateway = await startGateway({ files: { promptLinks: "documents" } });
    const { url, requests } = await webServer();
    const response = await sendMessage(gateway, `Why is ${url}/paper.pdf broken?`);
    expect(await response.json()).toMatchObject({ moonbridge_notices: [{ code: "link_not_read" }] });
    expect(requests).toEqual([]);
  });

  test("are not requested if the config says so, nor in side requests", async () => {
    const { url, requests } = await webServer();
    const off = await startGateway({ files: { ...filesConfig, promptLinks: "off" } });
    await sendMessage(off, `Read ${url}/paper.pdf`);
    const on = await startGateway({ files: filesConfig });
    const title = sideRequests["Open WebUI: title"]?.[0]?.content;
    await sendMessage(on, title?.replace(trickyChat, `USER: Read ${url}/paper.pdf`));
    expect(requests).toEqual([]);
  });

  test("are not requested where the client offers functions, as agents do", async () => {
    const { url, requests } = await webServer();
    const gateway = await startGateway({ files: filesConfig });
    const tools = [{ type: "function", function: { name: "fetch", description: "Fetches a page." } }];
    const response = await postChat(gateway, chatBody(`Read ${url}/paper.pdf`, { tools }));
    expect(await response.json()).not.toHaveProperty("moonbridge_notices");
    expect(requests).toEqual([]);
  });

  test("are not fetched again in a thread that has the file", async () => {
    const gateway = await startGateway({ files: filesConfig });
    const { url, requests } = await webServer();
    const first = { role: "user", content: `Read ${url}/paper.pdf` };
    const answer = JSON.parse(await (await sendMessage(gateway, first.content)).text()).choices[0].message
      .content;
    const before = requests.length;
    await sendMessage(gateway, "And?", [first, { role: "assistant", content: answer }]);
    expect(lastBlocks(gateway)).toEqual([{ message_id: "", text: { content: "And?" } }]);
    expect(requests.length).toBe(before);
  });
});
