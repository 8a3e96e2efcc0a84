import type { Dialect } from "../dialect.js";
import { documentation, errorSchema } from "./documentation.js";
import { errorBody } from "./errors.js";
import { ollamaRoutes } from "./route.js";

/** Ollama's API: what it is for chats and for finding models (clients.md §2.8). */
export const ollama: Dialect = {
  name: "ollama",
  ownsPath: (path) => path === "/api" || path.startsWith("/api/"),
  errors: { body: errorBody, wireCode: (code) => code, schema: errorSchema },
  routes: ollamaRoutes,
  documentation,
};
