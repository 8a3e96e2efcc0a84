import { apiKey } from "../gateway.js";

/** One request that is right in itself; each failure mode spoils it in its own way. */
export type SweptRoute = { method: string; path: string; body?: string; type?: string };

const boundary = "moonbridge";
const form =
  `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n` +
  `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="CANARY.txt"\r\n` +
  `content-type: text/plain\r\n\r\nCANARY in a file\r\n--${boundary}--\r\n`;

export const upload = { body: form, type: `multipart/form-data; boundary=${boundary}` };

const json = (body: unknown) => ({ body: JSON.stringify(body), type: "application/json" });

const picture = "data:image/png;base64,Q0FOQVJZCANARY=";

/** Chats with each upstream and with whatever else a chat may hold. */
const chats: [path: string, more: Record<string, unknown>][] = [
  ...["by-web", "by-legacy", "by-platform"].flatMap((model) =>
    [true, false].map((stream): [string, Record<string, unknown>] => [
      "/v1/chat/completions",
      { model, stream },
    ]),
  ),
  ["/v1/chat/completitions", { user: "CANARY" }],
  ["/chat/completions", { model: "kimi-search" }],
  ["/v1/v1/chat/completions", { stream: true, stream_options: { include_usage: true } }],
  ["//v1//chat/completions/", { conversation_id: "CANARY" }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: [image(picture)] }] }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: [image("http://127.0.0.1:1/CANARY")] }] }],
  [
    "/v1/chat/completions",
    { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "CANARY" } }] }] },
  ],
  [
    "/v1/chat/completions",
    { model: "by-platform", tools: [{ type: "function", function: { name: "CANARY" } }] },
  ],
];

function image(url: string) {
  return { type: "image_url", image_url: { url } };
}

/** Paths that no description names, and some that are not there. */
const hidden = [
  ...["/docs", "/docs/", "/docs/json", "/docs/yaml", "/docs/static/index.html", "/docs/static/nothing.js"],
  ...["/docs/static/..%2f..%2fpackage.json", "/openapi.json", "/metrics", "/v1", "/v1/", "/v1/v1/models"],
  ...["/models", "/models/kimi", "/files", "/v1/models/", "/v1/models/no-such-model", "/v1/files/file-none"],
  ...["/v1/accounts", "/v1/embeddings", "/v1/completions", "/v1/responses", "/v1/messages", "/favicon.ico"],
  ...[
    "/.env",
    "/config.json",
    "/../moonbridge.db",
    "/%2e%2e/moonbridge.db",
    "/%E0%A4%A",
    "/a%00b",
    "/health",
  ],
];

/**
 * Every route of the server, by its own description and beyond it, with every method that somebody may try. `file` is
 * the id of an uploaded file.
 */
export function sweptRoutes(description: unknown, file: string): SweptRoute[] {
  const described = Object.entries(pathsOf(description)).flatMap(([template, methods]) => {
    const path = template.replace("{id}", template.includes("files") ? file : "kimi");
    const named = Object.keys(methods).map((method) => method.toUpperCase());
    return [...new Set([...named, "GET", "POST", "HEAD", "OPTIONS", "DELETE", "PUT"])].map((method) => ({
      method,
      path,
      ...bodyFor(method, path),
    }));
  });
  const beyond = hidden.flatMap((path) =>
    ["GET", "POST", "HEAD"].map((method) => ({ method, path, ...bodyFor(method, path) })),
  );
  const chatting = chats.map(([path, more]) => ({
    method: "POST",
    path,
    ...json({ model: "kimi", messages: [{ role: "user", content: "my CANARY prompt" }], ...more }),
  }));
  // What is deleted is missed by nobody behind it.
  return [...described, ...beyond, ...chatting].toSorted((a, b) => Number(isDelete(a)) - Number(isDelete(b)));
}

function isDelete({ method }: SweptRoute): boolean {
  return method === "DELETE";
}

function bodyFor(method: string, path: string): { body?: string; type?: string } {
  if (method !== "POST" && method !== "PUT") return {};
  if (path === "/token") {
    const grant = new URLSearchParams({ grant_type: "password", username: "test", password: apiKey });
    return { body: String(grant), type: "application/x-www-form-urlencoded" };
  }
  if (path.endsWith("/files")) return upload;
  return json({ model: "kimi", messages: [{ role: "user", content: "my CANARY prompt" }], input: "CANARY" });
}

function pathsOf(description: unknown): Record<string, object> {
  if (typeof description !== "object" || description === null || !("paths" in description))
    throw new Error("no paths");
  return { ...Object(description.paths) };
}
