import { apiKey } from "../gateway.js";

/** A request without its headers, before a failure mode changes it. `type` is the content type of the body. */
export type SweptRoute = { method: string; path: string; body?: string; type?: string };

const boundary = "moonbridge";
const uploadForm =
  `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n` +
  `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="CANARY.txt"\r\n` +
  `content-type: text/plain\r\n\r\nCANARY in a file\r\n--${boundary}--\r\n`;

/** The body of a file upload and its content type. */
export const upload = { body: uploadForm, type: `multipart/form-data; boundary=${boundary}` };

const json = (body: unknown) => ({ body: JSON.stringify(body), type: "application/json" });

const imageUrl = "data:image/png;base64,Q0FOQVJZCANARY=";

/** Chat requests: to each upstream, by each spelling of the path, and with each kind of content. */
const chatRequests: [path: string, more: Record<string, unknown>][] = [
  ...["by-web", "by-legacy", "by-platform"].flatMap((model) =>
    [true, false].map((stream): [string, Record<string, unknown>] => [
      "/v1/chat/completions",
      { model, stream },
    ]),
  ),
  ...["by-web", "by-legacy", "by-platform"].map((model): [string, Record<string, unknown>] => [
    "/api/chat",
    { model },
  ]),
  ["/api/chat", { model: "no-such-model", stream: false }],
  ["/api/generate", { prompt: "my CANARY prompt", messages: undefined, options: { stop: ["CANARY"] } }],
  ...["by-web", "by-legacy", "by-platform"].flatMap((model) =>
    [true, false].map((stream): [string, Record<string, unknown>] => [
      "/v1/messages?beta=true",
      { model, stream, max_tokens: 100 },
    ]),
  ),
  ["/messages", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["/v1/messages", { messages: [{ role: "user", content: [{ type: "video", data: "CANARY" }] }] }],
  ...["by-web", "by-legacy", "by-platform"].flatMap((model) =>
    [true, false].map((stream): [string, Record<string, unknown>] => [
      "/v1/responses",
      { model, stream, input: "my CANARY prompt", messages: undefined },
    ]),
  ),
  ["/responses", { input: [{ role: "user", content: [{ type: "CANARY" }] }], messages: undefined }],
  ["/v1/responses", { input: "CANARY", previous_response_id: "CANARY", messages: undefined }],
  ["/v1/responses/compact", { input: "my CANARY prompt", messages: undefined }],
  ["/v1/chat/completitions", { user: "CANARY" }],
  ["/chat/completions", { model: "kimi-search" }],
  ["/v1/v1/chat/completions", { stream: true, stream_options: { include_usage: true } }],
  ["//v1//chat/completions/", { conversation_id: "CANARY" }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: [imagePart(imageUrl)] }] }],
  [
    "/v1/chat/completions",
    { messages: [{ role: "user", content: [imagePart("http://127.0.0.1:1/CANARY")] }] },
  ],
  [
    "/v1/chat/completions",
    { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "CANARY" } }] }] },
  ],
  [
    "/v1/chat/completions",
    { model: "by-platform", tools: [{ type: "function", function: { name: "CANARY" } }] },
  ],
];

function imagePart(url: string) {
  return { type: "image_url", image_url: { url } };
}

/** Paths that are not in the OpenAPI description, some of which do not exist. */
const undocumentedPaths = [
  ...["/docs", "/docs/", "/docs/json", "/docs/yaml", "/docs/static/index.html", "/docs/static/nothing.js"],
  ...["/docs/static/..%2f..%2fpackage.json", "/openapi.json", "/metrics", "/v1", "/v1/", "/v1/v1/models"],
  ...["/models", "/models/kimi", "/files", "/v1/models/", "/v1/models/no-such-model", "/v1/files/file-none"],
  ...[
    "/v1/accounts",
    "/api",
    "/api/pull",
    "/api/nothing",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/messages/batches",
    "/favicon.ico",
  ],
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
 * All requests of the sweep: to every route of the OpenAPI `description` and to undocumented paths, each with several
 * methods, and the chat requests. `fileId` is the id of an uploaded file.
 */
export function sweptRoutes(description: unknown, fileId: string): SweptRoute[] {
  const documented = Object.entries(pathsOf(description)).flatMap(([template, methods]) => {
    const path = template.replace("{id}", template.includes("files") ? fileId : "kimi");
    const documentedMethods = Object.keys(methods).map((method) => method.toUpperCase());
    return [...new Set([...documentedMethods, "GET", "POST", "HEAD", "OPTIONS", "DELETE", "PUT"])].map(
      (method) => ({
        method,
        path,
        ...bodyFor(method, path),
      }),
    );
  });
  const undocumented = undocumentedPaths.flatMap((path) =>
    ["GET", "POST", "HEAD"].map((method) => ({ method, path, ...bodyFor(method, path) })),
  );
  const chatRoutes = chatRequests.map(([path, more]) => ({
    method: "POST",
    path,
    ...json({ model: "kimi", messages: [{ role: "user", content: "my CANARY prompt" }], ...more }),
  }));
  // DELETE requests go last, so that the others still find the files.
  return [...documented, ...undocumented, ...chatRoutes].toSorted(
    (a, b) => Number(isDelete(a)) - Number(isDelete(b)),
  );
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
