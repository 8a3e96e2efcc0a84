import type { Dialect } from "../dialect.js";
import { documentation, errorSchema } from "./documentation.js";
import { errorBody } from "./errors.js";
import { mcpRoutes } from "./route.js";

/** The Model Context Protocol over streamable HTTP: Kimi as tools for agents that have a model of their own. */
export const mcp: Dialect = {
  name: "mcp",
  ownsPath: (path) => path === "/mcp",
  errors: { body: errorBody, wireCode: (code) => code, schema: errorSchema },
  routes: mcpRoutes,
  documentation,
};
