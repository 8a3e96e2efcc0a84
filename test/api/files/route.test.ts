import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, truncateSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { toFile } from "openai";
import { describe, expect, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../../gateway.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Names in the folder of files; none if the folder does not exist yet. */
function storedFileNames(gateway: Gateway): string[] {
  try {
    return readdirSync(join(dirname(gateway.storePath), "files"));
  } catch {
    return [];
  }
}

function upload(gateway: Gateway, body: FormData | string, headers: Record<string, string> = {}) {
  return fetch(`${gateway.url}/v1/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    body,
  });
}

function formOf(...parts: [name: string, value: string | Blob, fileName?: string][]): FormData {
  const form = new FormData();
  for (const [name, value, fileName] of parts) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, fileName);
  }
  return form;
}

describe("files through the openai SDK", () => {
  test("a file can be uploaded, retrieved, downloaded and deleted", async () => {
    const { client, ...gateway } = await startGateway();
    const bytes = randomBytes(300_000);
    const file = await client.files.create({
      file: await toFile(bytes, "报告 (1).pdf"),
      purpose: "user_data",
    });
    expect(file).toMatchObject({
      id: expect.stringMatching(/^file-[0-9a-f]{32}$/),
      object: "file",
      bytes: bytes.length,
      filename: "报告 (1).pdf",
      purpose: "user_data",
      status: "processed",
    });
    expect(Math.abs(file.created_at - Date.now() / 1_000)).toBeLessThan(60);
    expect(await client.files.retrieve(file.id)).toEqual(file);
    const content = await client.files.content(file.id);
    expect(content.headers.get("content-type")).toBe("application/octet-stream");
    expect(content.headers.get("content-disposition")).toBe(
      `attachment; filename*=UTF-8''${encodeURIComponent("报告 (1).pdf").replaceAll("(", "%28").replaceAll(")", "%29")}`,
    );
    expect(sha256(new Uint8Array(await content.arrayBuffer()))).toBe(sha256(bytes));
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
    await expect(client.files.retrieve(file.id)).rejects.toMatchObject({ status: 404, code: "not_found" });
    await expect(client.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
    expect(storedFileNames({ client, ...gateway })).toEqual([]);
  });

  test("the list is paged, newest first or oldest first, and filtered by purpose", async () => {
    const { client } = await startGateway();
    const uploaded: string[] = [];
    for (let n = 0; n < 5; n++) {
      const purpose = n % 2 === 0 ? "user_data" : "vision";
      const file = await client.files.create({
        file: await toFile(Buffer.from(`${n}`), `${n}.txt`),
        purpose,
      });
      uploaded.push(file.id);
    }
    const listed: string[] = [];
    for await (const file of client.files.list({ limit: 2 })) listed.push(file.id);
    expect(listed).toEqual(uploaded.toReversed());
    const oldest = await client.files.list({ order: "asc", limit: 3 });
    expect(oldest.data.map(({ id }) => id)).toEqual(uploaded.slice(0, 3));
    expect(oldest.has_more).toBe(true);
    const vision = await client.files.list({ purpose: "vision" });
    expect(vision.data.map(({ id }) => id)).toEqual([uploaded[3], uploaded[1]]);
  });

  test("another key gets 404 for the file", async () => {
    const gateway = await startGateway({ keys: [{ name: "other", key: "sk-CANARY-other" }] });
    const file = await gateway.client.files.create({
      file: await toFile(Buffer.from("mine"), "mine.txt"),
      purpose: "user_data",
    });
    const other = gateway.client.withOptions({ apiKey: "sk-CANARY-other" });
    expect((await other.files.list()).data).toEqual([]);
    await expect(other.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(other.files.content(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(other.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
    expect((await gateway.client.files.retrieve(file.id)).id).toBe(file.id);
  });

  test("an HTML file is downloaded as bytes, never shown inline", async () => {
    const { client } = await startGateway();
    const page = await toFile(Buffer.from("<script>alert(1)</script>"), "x.html", { type: "text/html" });
    const { id } = await client.files.create({ file: page, purpose: "user_data" });
    const { headers } = await client.files.content(id);
    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("a file that differs from its row", () => {
  async function storeFile(gateway: Gateway, bytes: Buffer) {
    const file = await gateway.client.files.create({
      file: await toFile(bytes, "a.bin"),
      purpose: "user_data",
    });
    return { id: file.id, path: join(dirname(gateway.storePath), "files", file.id) };
  }

  /** Requests on one connection, answered in order; resolves when it is closed. */
  async function readResponses(gateway: Gateway, paths: readonly string[]): Promise<string> {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const requests = paths.map((path, index) => {
      const connection = index === paths.length - 1 ? "close" : "keep-alive";
      return `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\nConnection: ${connection}\r\n\r\n`;
    });
    socket.write(requests.join(""));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    return Buffer.concat(chunks).toString("latin1");
  }

  test.each([
    ["shorter", (path: string) => truncateSync(path, 9_000)],
    ["empty", (path: string) => truncateSync(path, 0)],
    ["longer", (path: string) => appendFileSync(path, "more")],
  ])("is 404 if it is %s, and the next answer on the connection is whole", async (_how, damage) => {
    const gateway = await startGateway();
    const { id, path } = await storeFile(gateway, randomBytes(10_000));
    damage(path);
    const received = await readResponses(gateway, [`/v1/files/${id}/content`, "/healthz"]);
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 200"]);
    expect(received).toContain("Upload it again");
    expect(received.endsWith('{"status":"ok"}')).toBe(true);
  });

  test("closes the connection if it shrinks while it is read", async () => {
    const gateway = await startGateway();
    const size = 30_000_000;
    const { id, path } = await storeFile(gateway, randomBytes(size));
    const response = await fetch(`${gateway.url}/v1/files/${id}/content`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(response.headers.get("content-length")).toBe(String(size));
    // The client has not read yet, so most of the file is still to come.
    truncateSync(path, 100_000);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  test.each(["kimi-web", "kimi-legacy"] as const)(
    "is an error of the message that refers to it, and not of its conversation (%s)",
    async (kind) => {
      const gateway = await startGateway({ kind });
      const { id, path } = await storeFile(gateway, randomBytes(10_000));
      truncateSync(path, 9_000);
      const first = await postChat(gateway, chatBody("hello"));
      const { conversation_id } = JSON.parse(await first.text());
      const content = [{ type: "file", file: { file_id: id } }];
      const refused = await postChat(gateway, {
        messages: [{ role: "user", content }],
        conversation_id,
      });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        error: { code: "invalid_request", param: "messages[0].content[0]" },
      });
      expect((await postChat(gateway, chatBody("and now?", { conversation_id }))).status).toBe(200);
    },
  );
});

describe("upload form", () => {
  const blob = new Blob(["hello"], { type: "text/plain" });

  test("parts may come in any order, with any purpose or none", async () => {
    const gateway = await startGateway();
    const forms = [
      formOf(["purpose", "file-extract"], ["file", blob, "a.txt"]),
      formOf(["file", blob, "a.txt"], ["purpose", "file-extract"]),
    ];
    for (const form of forms) {
      expect(await (await upload(gateway, form)).json()).toMatchObject({ purpose: "file-extract" });
    }
    const plain = await (await upload(gateway, formOf(["file", blob, "a.txt"]))).json();
    expect(plain).toMatchObject({ purpose: "user_data", bytes: 5 });
  });

  test("ignored fields are named in x-moonbridge-ignored", async () => {
    const gateway = await startGateway();
    const form = formOf(
      ["file", blob, "a.txt"],
      ["expires_after[anchor]", "created_at"],
      ["expires_after[seconds]", "3600"],
    );
    expect((await upload(gateway, form)).headers.get("x-moonbridge-ignored")).toBe("expires_after");
  });

  test.each([
    ["a form without a file", formOf(["purpose", "user_data"]), "file", /required/],
    ["two files", formOf(["file", blob, "a"], ["file", blob, "b"]), "file", /one file/],
    ["a file by another name", formOf(["document", blob, "a"]), "file", /one file/],
    ["an unknown field", formOf(["file", blob, "a"], ["colour", "CANARY"]), "form", /no other/],
    ["an invalid purpose", formOf(["purpose", "CANARY drop"], ["file", blob, "a"]), "purpose", /a word/],
    ["an empty file", formOf(["file", new Blob([]), "a.txt"]), null, /empty/],
    ["a JSON body", '{"file":"CANARY"}', "file", /multipart/],
  ])("%s is refused with a message, and leaves nothing on disk", async (_case, body, param, sentence) => {
    const gateway = await startGateway();
    const response = await upload(gateway, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { param, message: expect.stringMatching(sentence) },
    });
    expect(storedFileNames(gateway)).toEqual([]);
  });

  test.each([
    [`filename="=?utf-8?B?5oql?="; filename*=utf-8''%E6%8A%A5%E5%91%8A.txt`, "报告.txt"],
    [`filename*=UTF-8''%E6%8A%A5%E5%91%8A.txt; filename="plain.txt"`, "报告.txt"],
    [`filename="报告.txt"`, "报告.txt"],
  ])("a file with %s is named %s", async (parameters, name) => {
    const gateway = await startGateway();
    const body = `--B\r\nContent-Disposition: form-data; name="file"; ${parameters}\r\n\r\nhello\r\n--B--\r\n`;
    const response = await upload(gateway, body, { "content-type": "multipart/form-data; boundary=B" });
    expect(await response.json()).toMatchObject({ filename: name, bytes: 5 });
  });

  test("file names are shortened to valid names, and are never paths", async () => {
    const gateway = await startGateway();
    const names = ["../../etc/passwd", "C:\\secret\\a.pdf", "", "a\nb.txt", `${"x".repeat(500)}.pdf`];
    for (const name of names) {
      const response = await upload(gateway, formOf(["file", blob, name || "blob"]));
      const body = JSON.parse(await response.text());
      expect(body.filename).toMatch(/^[^/\\\p{Cc}]{1,200}$/u);
    }
    expect(storedFileNames(gateway).every((name) => /^file-[0-9a-f]{32}$/.test(name))).toBe(true);
  });

  test.each([
    [
      "a form cut in the middle",
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
    ],
    ["a body that is no form", "CANARY"],
    ["a form of only its end", "--B--\r\n"],
    [
      "a name with a NUL",
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a\u0000b"\r\n\r\nhello\r\n--B--\r\n',
    ],
    ["a part with headers that do not end", "--B\r\nContent-Disposition: form-data"],
  ])("%s is refused with 400, and leaves nothing on disk", async (_case, body) => {
    const gateway = await startGateway();
    const response = await upload(gateway, body, { "content-type": "multipart/form-data; boundary=B" });
    expect(response.status).toBe(400);
    expect(storedFileNames(gateway)).toEqual([]);
  });
});

describe("limits", () => {
  test("a file over the limit is refused, with or without content-length, and leaves nothing on disk", async () => {
    const gateway = await startGateway({ files: { maxBytes: 100_000 } });
    const big = new Blob([randomBytes(200_000)]);
    const announced = await upload(gateway, formOf(["file", big, "big.bin"]));
    expect(await announced.json()).toMatchObject({
      error: { code: "file_rejected", message: expect.stringContaining("100000 bytes") },
    });
    const form = new Response(formOf(["file", big, "big.bin"]));
    const init: RequestInit & { duplex: "half" } = {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": form.headers.get("content-type") ?? "" },
      body: form.body,
      duplex: "half",
    };
    const streamed = await fetch(`${gateway.url}/v1/files`, init).catch(() => undefined);
    if (streamed) expect(streamed.status).toBe(400);
    await waitUntil(() => storedFileNames(gateway).length === 0);
    const small = await upload(gateway, formOf(["file", new Blob([randomBytes(100_000)]), "fits.bin"]));
    expect(small.status).toBe(200);
  });

  test("a client that disconnects during an upload leaves no temporary file", async () => {
    const gateway = await startGateway();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const head =
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n';
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n` +
        `Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 50000000\r\n\r\n${head}`,
    );
    socket.write(randomBytes(1_000_000));
    await waitUntil(() => storedFileNames(gateway).some((name) => name.endsWith(".part")));
    socket.destroy();
    await waitUntil(() => storedFileNames(gateway).length === 0);
    await waitUntil(() => gateway.logEntries().some(({ route }) => route === "/v1/files"));
    expect(gateway.logEntries().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

test("/files answers without /v1, with it once or twice, and refuses an invalid query", async () => {
  const gateway = await startGateway();
  for (const path of ["/files", "/v1/v1/files/", "/v1/files?limit=10"]) {
    const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect(await response.json()).toMatchObject({ object: "list", data: [], has_more: false });
  }
  for (const query of ["limit=0", "limit=x", "order=up"]) {
    const response = await fetch(`${gateway.url}/v1/files?${query}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(response.status).toBe(400);
  }
});
