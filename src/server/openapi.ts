import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { version } from "../lib/version.js";

const flow = {
  tokenUrl: "/token",
  scopes: { chat: "chat and list models", admin: "look after this Moonbridge" },
};
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
        { name: "chat" },
        { name: "models" },
        { name: "files" },
        { name: "accounts" },
        { name: "oauth" },
        { name: "health" },
      ],
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" }, oauth } },
      security: [{ key: [] }, { oauth: ["chat"] }],
    },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: pagePolicy,
    uiConfig: { persistAuthorization: true, layout: "BaseLayout" },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}
