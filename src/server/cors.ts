import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";

/** Headers that browser clients may read cross-origin (clients.md §7 row 6). */
const exposedHeaders = [
  ...["x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry"],
  ...["x-moonbridge-ignored", "x-moonbridge-upstream", "mcp-session-id"],
  ...["limit", "remaining", "reset"].flatMap((part) => [
    `x-ratelimit-${part}-requests`,
    `x-ratelimit-${part}-tokens`,
    `anthropic-ratelimit-requests-${part}`,
  ]),
].join(", ");

/** Registers CORS for the origins that `origins` has at each request; `*` stands for all. */
export async function registerCors(app: FastifyInstance, origins: () => readonly string[]): Promise<void> {
  app.addHook("onRequest", (request, reply, done) => {
    if (request.headers.origin !== undefined) reply.header("access-control-expose-headers", exposedHeaders);
    if (request.headers["access-control-request-private-network"] === "true") {
      reply.header("access-control-allow-private-network", "true");
    }
    done();
  });
  await app.register(cors, {
    origin: async () => (origins().includes("*") ? true : [...origins()]),
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    maxAge: 7_200,
    strictPreflight: false,
  });
}

/** The CORS headers of a response that no route writes. `origin`: undefined if the request did not get that far. */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Record<string, string> {
  const allowed = origins.includes("*") ? "*" : origins.find((each) => each === origin);
  if (allowed === undefined) return {};
  return {
    "access-control-allow-origin": allowed,
    "access-control-expose-headers": exposedHeaders,
    ...(allowed === "*" ? {} : { vary: "Origin" }),
  };
}
