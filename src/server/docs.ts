import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { version } from "../version.js";

/** `/docs` and `/openapi.json`: every route from the schemas that also check requests; assets are local. */
export async function docs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Moonbridge",
        version,
        description:
          "Your own Kimi account as an OpenAI-compatible API. For research and personal use. " +
          "Press “Authorize” and enter your Moonbridge key to try the calls here.",
      },
      tags: [{ name: "chat" }, { name: "models" }, { name: "files" }, { name: "health" }],
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
      security: [{ key: [] }],
    },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { persistAuthorization: true, layout: "BaseLayout" },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}
