import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toFile } from "openai";
import { describe, expect, onTestFinished, test } from "vitest";
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
  ])("%s is refused with the reason, and nothing is asked of Kimi's chat", async (_what, part, code) => {
    const gateway = await startGateway();
    const response = await say(gateway, [text("Look"), part]);
    expect(response.status).toBe(400);
    const { error } = JSON.parse(await response.text());
    expect(error.code).toBe(code);
    expect(error.param).toBe("messages[0].content[1]");
    expect(gateway.simulator.counts().chats).toBe(0);
  });

  test("more than go in one message are refused with their number", async () => {
    const gateway = await startGateway();
    const response = await say(gateway, [text("Look"), ...Array.from({ length: 51 }, () => picture)]);
    expect(await response.json()).toMatchObject({
      error: { param: "messages", message: expect.stringMatching(/51 pictures and files; at most 50/) },
    });
    expect(uploads(gateway)).toEqual([]);
  });

  test("no room for files on Kimi's side is no end of chatting", async () => {
    const gateway = await startGateway();
    gateway.simulator.faultUpload({ code: "resource_exhausted", paywall: true });
    const response = await say(gateway, [text("Look"), picture]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "file_rejected",
        param: "messages[0].content[1]",
        message: expect.stringMatching(/no room/),
      },
    });
    expect((await say(gateway, "And without?")).status).toBe(200);
  });

  test("a file that Kimi never gets done with is a timeout", async () => {
    const gateway = await startGateway({ patience: { silence: 5_000, progress: 5_000, parse: 0 } });
    const file = { filename: "endless.pdf", file_data: dataUrl("application/pdf", pdf) };
    const response = await say(gateway, [text("Look"), { type: "file", file }]);
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/too long to read/) },
    });
  });
});

const docx = Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(70_000, "CANARY docx ")]);
const docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** The ways a file can come, by what is put into the message for it. */
type Way = "a data URL" | "a link" | "an id";
const ways: Way[] = ["a data URL", "a link", "an id"];
const kinds: [name: string, type: string, bytes: Buffer][] = [
  ["paper.pdf", "application/pdf", pdf],
  ["letter.docx", docxType, docx],
  ["dot.png", "image/png", png],
];

/** A web server on this machine with these files; it counts what is asked of it. */
async function webServer(): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const found = kinds.find(([name]) => request.url === `/${name}`);
    const [, type, bytes] = found ?? ["", "text/html", Buffer.alloc(0)];
    response.writeHead(found || request.url === "/page" ? 200 : 404, { "content-type": type }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address: AddressInfo | string | null = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, requests };
}

async function partFor(
  way: Way,
  gateway: Gateway,
  site: string,
  [name, type, bytes]: (typeof kinds)[number],
) {
  const image = type.startsWith("image/");
  switch (way) {
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

describe("the same bytes, whichever way they come", () => {
  test.each(kinds.flatMap((kind) => ways.map((way) => [kind[0], way, kind] as const)))(
    "%s by %s first: Kimi gets them as they are; no other way uploads them again",
    async (_name, first, kind) => {
      const gateway = await startGateway({ files: { allowPrivateLinks: true } });
      const site = await webServer();
      for (const way of [first, ...ways]) {
        const response = await say(gateway, [text("Look"), await partFor(way, gateway, site.url, kind)]);
        expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
        expect(blocks(gateway)).toMatchObject([{ text: {} }, { file: { id: expect.any(String) } }]);
      }
      const [name, contentType, bytes] = kind;
      const sent = uploads(gateway);
      expect(sent).toMatchObject([{ contentType, size: bytes.length, checksum: sha256(bytes) }]);
      if (!contentType.startsWith("image/") || first !== "a data URL") expect(sent).toMatchObject([{ name }]);
    },
  );
});

describe("links in the words of a prompt", () => {
  const followed = { allowPrivateLinks: true, promptLinks: "documents" };

  test("a document and a picture are fetched and sent along; a page is left to Kimi", async () => {
    const gateway = await startGateway({ files: followed });
    const { url, requests } = await webServer();
    const words = `总结 ${url}/paper.pdf，再看看${url}/dot.png。And ${url}/page?`;
    const response = await say(gateway, words);
    expect(response.status).toBe(200);
    expect(await response.json()).not.toHaveProperty("moonbridge_notices");
    expect(blocks(gateway)).toMatchObject([{ text: { content: words } }, { file: {} }, { file: {} }]);
    expect(uploads(gateway)).toMatchObject([{ checksum: sha256(pdf) }, { checksum: sha256(png) }]);
    expect(requests.filter((each) => each.endsWith("/page"))).toEqual(["HEAD /page"]);
  });

  test("a link that cannot be read stays a link, and a notice says why", async () => {
    const gateway = await startGateway({ files: followed });
    const { url } = await webServer();
    const response = await say(gateway, `What is at ${url}/gone.pdf ?`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      moonbridge_notices: [
        { code: "link_not_read", message: expect.stringMatching(/was not read here.*404/) },
      ],
    });
  });

  test("one to a private address is not looked at", async () => {
    const gateway = await startGateway({ files: { promptLinks: "documents" } });
    const { url, requests } = await webServer();
    const response = await say(gateway, `Why is ${url}/paper.pdf broken?`);
    expect(await response.json()).toMatchObject({ moonbridge_notices: [{ code: "link_not_read" }] });
    expect(requests).toEqual([]);
  });

  test("nothing is looked at where the config says so, nor in a chore", async () => {
    const { url, requests } = await webServer();
    const off = await startGateway({ files: { ...followed, promptLinks: "off" } });
    await say(off, `Read ${url}/paper.pdf`);
    const on = await startGateway({ files: followed });
    await say(on, `### Task:\nGenerate a title for: ${url}/paper.pdf`);
    expect(requests).toEqual([]);
  });

  test("in a thread that has it, it is not fetched again", async () => {
    const gateway = await startGateway({ files: followed });
    const { url, requests } = await webServer();
    const first = { role: "user", content: `Read ${url}/paper.pdf` };
    const answer = JSON.parse(await (await say(gateway, first.content)).text()).choices[0].message.content;
    const before = requests.length;
    await say(gateway, "And?", [first, { role: "assistant", content: answer }]);
    expect(blocks(gateway)).toEqual([{ message_id: "", text: { content: "And?" } }]);
    expect(requests.length).toBe(before);
  });
});
