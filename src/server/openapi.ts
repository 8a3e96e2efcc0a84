import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { version } from "../lib/version.js";
import { withResponses } from "./openapi-responses.js";
import { pathOfUrl } from "./request-path.js";

const flow = {
  tokenUrl: "/token",
  scopes: { chat: "chat and list models", admin: "look after this Moonbridge" },
};
const session = { type: "apiKey" as const, in: "cookie" as const, name: "moonbridge_session" };
const oauth = { type: "oauth2" as const, flows: { password: flow, clientCredentials: flow } };

/** Swagger UI needs its own scripts, inline styles, and requests to this server only. */
const pagePolicy = [
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join("; ");

/** Registers `/docs` and `/openapi.json`, generated from the schemas that validate requests. All assets are local. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Moonbridge",
        version,
        description:
          "Your own Kimi account as an OpenAI-compatible API. For research and personal use. " +
          "Press “Authorize” and enter your Moonbridge key, or its name and the key, to try the calls here.",
      },
      tags: [
        { name: "chat", description: "Answers" },
        { name: "mcp", description: "Kimi as tools, by the Model Context Protocol" },
        { name: "models", description: "What can be asked" },
        { name: "files", description: "Upload once, use by id in messages" },
        { name: "accounts", description: "The accounts behind the API" },
        { name: "admin", description: "For the console: accounts, keys, requests, usage, checks" },
        { name: "oauth", description: "Short-lived tokens for a key" },
        { name: "health", description: "For monitoring" },
      ],
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" }, session, oauth } },
      security: [{ key: [] }, { oauth: ["chat"] }],
    },
    transform: ({ schema, url, route }) => ({
      schema: withResponses(schema, String(route.method), url),
      url,
    }),
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => ({
    ...app.swagger(),
    servers: [serverAt("./")],
  }));
  await app.register(registerPages);
}

/** Where the API is, relative to the address of the description: a proxy may serve both behind a path prefix. */
function serverAt(url: string) {
  return { url, description: "this Moonbridge" };
}

/** Registers `/docs`. Its links are relative to `/docs`, so that it works behind a path prefix. */
async function registerPages(app: FastifyInstance): Promise<void> {
  app.setErrorHandler<FastifyError>((error) => {
    // @fastify/static reports a path that no file can have as 400, an unsatisfiable condition or range as 412 or 416.
    const { statusCode = 500 } = error;
    if (statusCode === 400) throw new GatewayError("not_found", "There is no such page. GET /docs is one.");
    if (statusCode < 500)
      throw new GatewayError(
        "invalid_request",
        "The page cannot be sent under the conditions of the headers.",
      );
    throw error;
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    indexPrefix: ".",
    theme: { title: "Moonbridge API" },
    staticCSP: pagePolicy,
    uiConfig: { persistAuthorization: true, layout: "BaseLayout" },
    uiHooks: { onRequest: redirectToPage },
    transformSpecification: (specification) => ({ ...specification, servers: [serverAt("../")] }),
  });
}

/** Sends the other addresses of the page to `/docs`. */
function redirectToPage({ originalUrl }: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const path = pathOfUrl(originalUrl);
  if (path.endsWith("/static/index.html")) reply.redirect("../../docs");
  else if (path.endsWith("/docs/")) reply.redirect("../docs");
  else done();
}
