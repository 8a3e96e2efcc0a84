import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Value } from "@sinclair/typebox/value";
import type { FastifyReply, FastifyRequest } from "fastify";
import { adminSchemas as schemas } from "../../api/admin/contract.js";
import { GatewayError, toGatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { TextSealer } from "../../lib/text-sealer.js";
import type { Authenticator } from "./authenticator.js";
import type { FailedLoginLimiter } from "./failed-login-limiter.js";
import { beginLogin, finishLogin, foreignLogin, PendingLogin } from "./oauth/issuer-login.js";
import { requireSameOrigin } from "./same-origin.js";
import { isSecure } from "./session-cookie.js";
import { limiterName, startSession } from "./session-routes.js";
import type { Sessions } from "./sessions.js";

const startPath = "/v1/admin/login/issuer";
const callbackPath = `${startPath}/callback`;
const cookieName = "moonbridge_login";
const sealPurpose = "console login";

export type IssuerLoginOptions = {
  authenticator: Authenticator;
  sessions: Sessions;
  failedLogins: FailedLoginLimiter;
  /** Seals what the browser keeps while the person is at the issuer. */
  sealer: TextSealer;
};

/**
 * The login at the console by the configured issuer: the address that leads there, and the one that it leads back to. A failure
 * is told by the console's page, to which both lead then.
 */
export function issuerLoginRoutes(options: IssuerLoginOptions): FastifyPluginAsyncTypebox {
  const { authenticator, sessions, failedLogins, sealer } = options;
  return async (app) => {
    app.get("/v1/admin/login", { schema: schemas.getLogin }, async () => ({
      object: "admin.login" as const,
      issuer: authenticator.loginIssuer?.issuer.name ?? null,
    }));

    app.get(startPath, { schema: schemas.beginLogin }, async (request, reply) =>
      leadToPage(request, reply, async () => {
        requireSameOrigin(request);
        const { issuer, clientId } = requireIssuer(authenticator);
        const { url, pending } = await beginLogin(issuer, clientId, redirectUriOf(request));
        setLoginCookie(request, reply, sealer.seal(sealPurpose, JSON.stringify(pending)));
        return url;
      }),
    );

    app.get(callbackPath, { schema: schemas.finishLogin }, async (request, reply) =>
      leadToPage(request, reply, async () => {
        const { issuer, clientId } = requireIssuer(authenticator);
        const pending = readPending(request, sealer);
        setLoginCookie(request, reply, "");
        // Pages elsewhere can have this address loaded, but not with the cookie: that is no failure of this browser's.
        if (!pending) throw foreignLogin();
        const create = async () => {
          const token = await finishLogin(issuer, clientId, { pending, answer: request.query });
          return sessions.createByLogin(token);
        };
        const created = await failedLogins.check(request, create, limiterName);
        await startSession(sessions, { request, reply, created });
        return "/#/";
      }),
    );
  };
}

/** Leads to the address, or to the page with the code of the error. */
async function leadToPage(
  request: FastifyRequest,
  reply: FastifyReply,
  address: () => Promise<string>,
): Promise<FastifyReply> {
  try {
    return reply.redirect(await address(), 303);
  } catch (error) {
    request.failure = toGatewayError(error);
    return reply.redirect(`/#login-error=${request.failure.code}`, 303);
  }
}

function requireIssuer({ loginIssuer }: Authenticator) {
  if (loginIssuer) return loginIssuer;
  throw new GatewayError("not_found", "The configuration has no oauth.consoleClientId.");
}

/** The host is one that `requireKnownHost` accepts, and the issuer leads to registered addresses only. */
function redirectUriOf(request: FastifyRequest): string {
  return `${isSecure(request) ? "https" : "http"}://${request.headers.host}${callbackPath}`;
}

/** Lax, since it must come along when the issuer leads back. Empty: the browser forgets it. */
function setLoginCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
  const seconds = value === "" ? 0 : limits.loginCode / 1_000;
  const attributes = [`Path=${startPath}`, `Max-Age=${seconds}`, "HttpOnly", "SameSite=Lax"];
  const secure = isSecure(request) ? ["Secure"] : [];
  reply.header("set-cookie", [`${cookieName}=${value}`, ...attributes, ...secure].join("; "));
}

function readPending({ headers }: FastifyRequest, sealer: TextSealer): PendingLogin | undefined {
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const sealed = pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
  const json = sealed === undefined ? undefined : sealer.open(sealPurpose, sealed);
  if (json === undefined) return undefined;
  const pending: unknown = JSON.parse(json);
  return Value.Check(PendingLogin, pending) ? pending : undefined;
}
