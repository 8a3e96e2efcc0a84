import type { FastifyReply, FastifyRequest } from "fastify";
import { limits } from "../../core/limits.js";

const name = "moonbridge_session";

/** The secret in the session cookie of a request; undefined without one. */
export function readSessionCookie({ headers }: Pick<FastifyRequest, "headers">): string | undefined {
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [key, value] = pair.split("=", 2);
    if (key?.trim() === name && value !== undefined && /^[\w-]{20,100}$/.test(value.trim()))
      return value.trim();
  }
  return undefined;
}

/** Gives the browser the cookie; `Secure` where the request came by HTTPS, also to a proxy in front. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  reply.header("set-cookie", cookie(request, secret, Math.floor(limits.session / 1_000)));
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("set-cookie", cookie(request, "", 0));
}

/** Whether the browser came by HTTPS, also to a proxy in front. */
export function isSecure({ protocol, headers }: Pick<FastifyRequest, "protocol" | "headers">): boolean {
  return protocol === "https" || headers["x-forwarded-proto"] === "https";
}

function cookie(request: FastifyRequest, value: string, seconds: number): string {
  const attributes = ["Path=/", `Max-Age=${seconds}`, "HttpOnly", "SameSite=Strict"];
  return [`${name}=${value}`, ...attributes, ...(isSecure(request) ? ["Secure"] : [])].join("; ");
}
