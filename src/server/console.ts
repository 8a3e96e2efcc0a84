import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../core/errors.js";
import { requireKnownHost } from "./auth/same-origin.js";

/** Stands in the built page where each answer has its own nonce (console/vite.config.ts). */
const noncePlaceholder = "STYLE_NONCE";

/** Answers with the console's page. Throws `origin_forbidden`, and `not_found` if the console has not been built. */
export type SendConsole = (request: FastifyRequest, reply: FastifyReply) => Promise<string>;

/**
 * Registers the console: its page at `/connect`, its files below `/console/`. They contain no data, so that they need no key;
 * what the page shows comes from `/v1/admin`. `hosts`: the names it answers to, see `requireKnownHost`. Returns what
 * answers with the page at `/`.
 */
export async function registerConsole(
  app: FastifyInstance,
  hosts: () => readonly string[],
): Promise<SendConsole> {
  const sendConsole: SendConsole = async (request, reply) => {
    requireKnownHost(request, hosts());
    const page = await readPage();
    const nonce = randomBytes(16).toString("base64");
    reply
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .header("content-security-policy", pagePolicy(nonce));
    return page.replaceAll(noncePlaceholder, nonce);
  };
  app.get("/connect", { schema: { hide: true } }, sendConsole);
  const root = join(builtConsole, "console");
  if (existsSync(root))
    await app.register(fastifyStatic, {
      root,
      prefix: "/console/",
      index: false,
      // Only files that are there at the start have a route: no path can lead anywhere else.
      wildcard: false,
      decorateReply: false,
      preCompressed: true,
      // Their names contain a hash of their content.
      immutable: true,
      maxAge: "1y",
    });
  return sendConsole;
}

/** The components write their own `<style>` elements; nothing inline is a script. Pictures in answers are not loaded. */
function pagePolicy(nonce: string): string {
  return [
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:",
    `style-src 'self' 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ].join("; ");
}

async function readPage(): Promise<string> {
  try {
    return await readFile(join(builtConsole, "index.html"), "utf8");
  } catch {
    throw new GatewayError("not_found", "The console has not been built. “npm run build” builds it.");
  }
}

/** `dist/console` of the package, from here in `src/server/` or compiled in `dist/src/server/`. */
const builtConsole = join(packageFolder(), "dist", "console");

function packageFolder(): string {
  const folders = ["../..", "../../.."].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, "package.json"))) ?? process.cwd();
}
