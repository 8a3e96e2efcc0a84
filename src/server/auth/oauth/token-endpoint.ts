import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type Static, Type } from "@sinclair/typebox";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorHeaders } from "../../../api/error-headers.js";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import { scopes as allScopes, type Scope } from "../../../core/types.js";
import { parseObject } from "../../../lib/json.js";
import { toLoggedError } from "../../errors.js";
import { type ApiKey, type ApiKeys, throwIfExpired } from "../api-keys.js";
import type { Authenticator } from "../authenticator.js";
import type { FailedLoginLimiter } from "../failed-login-limiter.js";

const TokenRequestForm = Type.Object({
  grant_type: Type.String({ description: "client_credentials or password" }),
  scope: Type.Optional(Type.String({ description: "chat, admin or both; all that the key has by default" })),
  client_id: Type.Optional(
    Type.String({ description: "client_credentials: the key's name, or by HTTP Basic" }),
  ),
  client_secret: Type.Optional(Type.String({ description: "client_credentials: the key" })),
  username: Type.Optional(Type.String({ description: "password: the key's name" })),
  password: Type.Optional(Type.String({ description: "password: the key" })),
});
type TokenRequestForm = Static<typeof TokenRequestForm>;

const schema = {
  summary: "A key's name and the key for a token that lives an hour",
  description:
    "OAuth 2.0 (RFC 6749), grants client_credentials and password. The token opens what the key opens, until the " +
    "key is revoked or has expired.",
  tags: ["oauth"],
  security: [],
  consumes: ["application/x-www-form-urlencoded"],
  body: TokenRequestForm,
};

/** `POST /token`: exchanges an API key for a short-lived access token; also used by the Authorize dialog of `/docs`. */
export function tokenEndpoint(
  { keys, tokens }: Authenticator,
  failedLogins: FailedLoginLimiter,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    acceptForms(app);
    app.setErrorHandler<FastifyError | OAuthError>(sendError);
    app.post("/token", { schema, bodyLimit: limits.tokenRequest }, async (request, reply) => {
      const { name, secrets, refusal } = presentedSecret(request.body, request.headers.authorization);
      const check = () => verifySecret(name, secrets, keys);
      const key = await failedLogins.check(request, check, name).catch((error: unknown) => {
        throw error instanceof GatewayError && error.code === "invalid_api_key" ? refusal : error;
      });
      const scopes = grantedScopes(request.body.scope, key.settings.scopes);
      const { token, seconds } = await tokens.issue(key, scopes);
      const response = {
        access_token: token,
        token_type: "bearer",
        expires_in: seconds,
        scope: scopes.join(" "),
      };
      return reply.headers(noStoreHeaders).send(response);
    });
  };
}

const noStoreHeaders = { "cache-control": "no-store", pragma: "no-cache" };

/**
 * The key name of a token request, the possible readings of its secret, and the error to send if none of them is right.
 */
type PresentedSecret = { name: string; secrets: string[]; refusal: OAuthError };

function presentedSecret(form: TokenRequestForm, authorization: string | undefined): PresentedSecret {
  switch (form.grant_type) {
    case "password": {
      // The forms of Swagger and FastAPI also send an empty client id, which is ignored.
      const { username, password } = form;
      if (!username || !password) throw new OAuthError("invalid_request", "username or password is missing.");
      return {
        name: username,
        secrets: [password],
        refusal: new OAuthError("invalid_grant", wrongSecretMessage),
      };
    }
    case "client_credentials": {
      const basic = /^basic\s+(.*)$/i.exec(authorization ?? "")?.[1];
      const refusal = new OAuthError("invalid_client", wrongSecretMessage, basic !== undefined);
      if (basic !== undefined && form.client_secret)
        throw new OAuthError(
          "invalid_request",
          "The client's secret came twice: in the header and in the body.",
        );
      if (basic !== undefined) return { ...fromBasic(basic), refusal };
      return { name: form.client_id ?? "", secrets: [form.client_secret ?? ""], refusal };
    }
    default:
      throw new OAuthError("unsupported_grant_type", "grant_type is client_credentials or password here.");
  }
}

const wrongSecretMessage = "There is no key of this name with this secret, or it has expired.";

/** Most clients send the secret verbatim, some form-encoded as RFC 6749 §2.3.1 requires; both are tried. */
function fromBasic(encoded: string): { name: string; secrets: string[] } {
  const [name = "", ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const secret = rest.join(":");
  return { name, secrets: [secret, new URLSearchParams(`secret=${secret}`).get("secret") ?? ""] };
}

/** Finds the key with this name and secret. As slow for an unknown name as for a known one. Throws `invalid_api_key`. */
async function verifySecret(name: string, secrets: readonly string[], keys: ApiKeys): Promise<ApiKey> {
  for (const secret of secrets) {
    const key = await keys.find(secret);
    if (key?.name !== name) continue;
    throwIfExpired(key);
    return key;
  }
  throw new GatewayError("invalid_api_key", wrongSecretMessage);
}

/** The requested scopes, by default all scopes of the key. Throws `invalid_scope` for one that the key does not have. */
function grantedScopes(requested: string | undefined, keyScopes: readonly Scope[]): readonly Scope[] {
  const names = new Set(requested?.split(" ").filter((name) => name !== ""));
  if (names.size === 0) return keyScopes;
  const scopes = allScopes.filter((each) => names.has(each) && keyScopes.includes(each));
  if (scopes.length < names.size)
    throw new OAuthError("invalid_scope", `This key has ${keyScopes.join(" and ")} and nothing else.`);
  return scopes;
}

type OAuthCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unsupported_grant_type"
  | "invalid_scope";

/** An error of RFC 6749 §5.2. The message becomes `error_description`, which is limited to ASCII without quotes. */
class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly code: OAuthCode;
  readonly usedBasicAuth: boolean;

  constructor(code: OAuthCode, message: string, usedBasicAuth = false) {
    super(message);
    this.code = code;
    this.usedBasicAuth = usedBasicAuth;
  }
}

function sendError(
  thrown: FastifyError | OAuthError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.headers(noStoreHeaders);
  if (thrown instanceof OAuthError) {
    if (thrown.usedBasicAuth) reply.header("www-authenticate", 'Basic realm="moonbridge", charset="UTF-8"');
    return reply
      .status(thrown.code === "invalid_client" ? 401 : 400)
      .send({ error: thrown.code, error_description: thrown.message });
  }
  const failure = toLoggedError(thrown, request);
  const error =
    failure.status < 429
      ? "invalid_request"
      : failure.status < 500
        ? "temporarily_unavailable"
        : "server_error";
  const message = failure.code === "request_too_large" ? "The form is too large." : failure.message;
  return reply
    .status(failure.status)
    .headers(errorHeaders(failure))
    .send({ error, error_description: message.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "") });
}

/** Accepts form bodies and, by content type, JSON. */
function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    { parseAs: "string" },
    async (request: FastifyRequest, body: string | Buffer) => {
      const source = String(body);
      if (/json/i.test(request.headers["content-type"] ?? "")) return parseObject(source);
      const fields = new URLSearchParams(source);
      if (new Set(fields.keys()).size < fields.size)
        throw new OAuthError("invalid_request", "A field came twice.");
      return Object.fromEntries(fields);
    },
  );
}
