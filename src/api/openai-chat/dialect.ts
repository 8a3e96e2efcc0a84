import type { Dialect } from "../dialect.js";
import { documentation, errorSchema } from "./documentation.js";
import { errorEnvelope, wireCode } from "./errors.js";
import { chatCompletionsRoute } from "./route.js";

/** OpenAI's chat completions; its error envelope is also that of models, files and all other paths. */
export const openAiChat: Dialect = {
  name: "chat",
  ownsPath: (path) => path.startsWith("/v1/chat/"),
  errors: { body: errorEnvelope, wireCode, schema: errorSchema },
  routes: chatCompletionsRoute,
  documentation,
};
