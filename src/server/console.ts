import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { GatewayError } from "../core/errors.js";

/** Stands in the built page where each answer has its own nonce (console/vite.config.ts). */
const noncePlaceholder = "STYLE_NONCE";

/**
 * Registers the console: its page at `/connect` (and at `/`, by `sendConsole`), its files below `/console/`. They
 * contain no data, so that they need no key; what the page shows comes from `/v1/admin`.
 */
export async function registerConsole(app: FastifyInstance): Promise<void> {
  const schema = { hide: true };
  app.get("/connect", { schema }, async (_request, reply) => sendConsole(reply));
  const root = join(builtConsole, "console");
  if (!existsSync(root)) return;
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
}

/** Answers with the console's page. Throws `not_found` if it has not been built. */
export async function sendConsole(reply: FastifyReply): Promise<string> {
  const page = await readPage();
  const nonce = randomBytes(16).toString("base64");
  reply
    .type("text/html; charset=utf-8")
    .header("cache-control", "no-store")
    .header("content-security-policy", pagePolicy(nonce));
  return page.replaceAll(noncePlaceholder, nonce);
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
