import type { Dialect } from "../dialect.js";
import { errorSchema } from "../openai-chat/documentation.js";
import { documentation } from "./documentation.js";
import { errorEnvelope, wireCode } from "./errors.js";
import { responsesRoutes } from "./route.js";

/** OpenAI's Responses API, which Codex and the newer SDKs speak (clients.md §4.2). */
export const openAiResponses: Dialect = {
  name: "responses",
  ownsPath: (path) => path === "/v1/responses" || path.startsWith("/v1/responses/"),
  errors: { body: errorEnvelope, wireCode, schema: errorSchema },
  routes: responsesRoutes,
  documentation,
};
