import { describe, expect, test } from "vitest";
import { apiKey, type Gateway, startGateway } from "../gateway.js";

type Content = Record<string, { schema: { title?: string; properties?: object } }>;
type Operation = {
  summary?: string;
  tags?: string[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
};
type OpenApi = {
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
};

async function get(gateway: Gateway, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${apiKey}` } });
  return { status: response.status, text: await response.text() };
}

describe("the API description", () => {
  test("has a title, the answer and the errors of every route", async () => {
    const spec: OpenApi = JSON.parse((await get(await startGateway(), "/openapi.json")).text);
    const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
    );
    expect(operations.length).toBeGreaterThan(10);
    for (const { name, path, operation } of operations) {
      const { summary, tags = [], responses } = operation;
      expect([name, summary]).toEqual([name, expect.stringMatching(/\w/)]);
      expect([name, spec.tags.map((tag) => tag.name)]).toEqual([name, expect.arrayContaining(tags)]);
      const { 200: answer, default: otherError, ...errors } = responses;
      expect([name, answer?.description, Object.keys(answer?.content ?? {})]).toEqual([
        name,
        expect.not.stringMatching(/Default Response/),
        [expect.any(String), ...Object.keys(answer?.content ?? {}).slice(1)],
      ]);
      for (const error of [otherError, ...Object.values(errors)]) {
        const schema = error?.content?.["application/json"]?.schema;
        expect([name, Object.keys(schema?.properties ?? {})]).toEqual([
          name,
          expect.arrayContaining(["error"]),
        ]);
      }
      const needsKey = !["/", "/healthz", "/token"].includes(path);
      expect([name, Object.keys(errors).includes("401")]).toEqual([name, needsKey]);
    }
    expect(spec.paths["/v1/files"]?.post?.requestBody?.content).toHaveProperty("multipart/form-data");
  });

  test("describes what the routes answer", async () => {
    const gateway = await startGateway();
    const spec: OpenApi = JSON.parse((await get(gateway, "/openapi.json")).text);
    for (const path of [
      "/",
      "/healthz",
      "/readyz",
      "/v1/models",
      "/v1/models/kimi",
      "/v1/accounts",
      "/v1/files",
    ]) {
      const described = spec.paths[path.replace("kimi", "{id}")]?.get?.responses["200"];
      const properties = Object.keys(described?.content?.["application/json"]?.schema.properties ?? {});
      expect([path, Object.keys(JSON.parse((await get(gateway, path)).text))]).toEqual([
        path,
        expect.arrayContaining(properties),
      ]);
    }
  });
});

/** The files that the page at this address loads, as a browser resolves their addresses. */
async function pageFiles(gateway: Gateway, path: string, prefix = ""): Promise<string[]> {
  const { text } = await get(gateway, path);
  const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(4);
  return links.map((link) => new URL(link, `http://proxy${prefix}${path}`).pathname);
}

describe("GET /docs", () => {
  test("has a title and works behind a path prefix, which a proxy removes", async () => {
    const gateway = await startGateway();
    expect((await get(gateway, "/docs")).text).toContain("<title>Moonbridge API</title>");
    for (const file of await pageFiles(gateway, "/docs", "/moon/bridge")) {
      expect(file).toMatch(/^\/moon\/bridge\/docs\/static\//);
      expect((await get(gateway, file.slice("/moon/bridge".length))).status).toBe(200);
    }
    for (const path of ["/openapi.json", "/docs/json"]) {
      const spec: OpenApi = JSON.parse((await get(gateway, path)).text);
      const base = new URL(spec.servers[0]?.url ?? "", `http://proxy/moon/bridge${path}`);
      expect([path, base.pathname]).toEqual([path, "/moon/bridge/"]);
    }
  });

  test.each([
    ["/docs/", "http://proxy/moon/docs"],
    ["/docs/static/index.html", "http://proxy/moon/docs"],
  ])("its other address %s redirects to it", async (path, target) => {
    const gateway = await startGateway();
    const response = await fetch(gateway.url + path, { redirect: "manual" });
    expect(response.status).toBe(302);
    const location = response.headers.get("location") ?? "";
    expect(new URL(location, `http://proxy/moon${path}`).href).toBe(target);
  });

  test.each([
    ["/docs/static/%00", {}, 404, "not_found"],
    ["/docs/static/nothing.js", {}, 404, "not_found"],
    ["/docs/static/..%2f..%2fpackage.json", {}, 404, "not_found"],
    ["/docs/static/%2e%2e/%2e%2e/package.json", {}, 404, "not_found"],
    ["/docs/static/index.css", { range: "bytes=999999999-" }, 400, "invalid_request"],
    ["/docs/static/index.css", { "if-match": '"other"' }, 400, "invalid_request"],
  ])("%s with %j is %d %s", async (path, headers, status, code) => {
    const gateway = await startGateway();
    const response = await fetch(gateway.url + path, { headers });
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
  });
});
