import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { SessionStore, StoredSession } from "../../core/session.js";
import type { Scope } from "../../core/types.js";
import { hash } from "../../lib/hash.js";
import { throwIfExpired } from "./api-keys.js";
import type { AuthenticatedRequest, Authenticator } from "./authenticator.js";

/** Who a login with a code acts as. The name of an API key has no space, so that none is the same. */
const codeKeyName = "web console";
const allScopes: readonly Scope[] = ["chat", "admin"];

/** A session that was just made; `secret` goes into the cookie and is stored as its hash only. */
export type NewSession = { session: StoredSession; secret: string };

/** A session and what its requests may do. */
export type SessionRequest = AuthenticatedRequest & { session: StoredSession };

/** Logins of people at the console: from a one-time code, or from a credential with the scope `admin`. */
export class Sessions {
  readonly #store: SessionStore;
  readonly #authenticator: Authenticator;

  constructor(store: SessionStore, authenticator: Authenticator) {
    this.#store = store;
    this.#authenticator = authenticator;
  }

  /** Throws `invalid_api_key` for a code that is wrong, used or too old. */
  async createByCode(code: string): Promise<NewSession & { isGuessable: boolean }> {
    if (!(await this.#store.takeLoginCode(hash(code), Date.now()))) {
      throw new GatewayError(
        "invalid_api_key",
        "This code has been used, or is older than ten minutes. Log in with an admin key, or start Moonbridge with --open.",
      );
    }
    return { ...(await this.#add({ key: codeKeyName, scopes: allScopes })), isGuessable: false };
  }

  /**
   * For the access token of a login at the issuer. The session outlives the token, which lasts for minutes at most issuers. Throws
   * `invalid_api_key`, `insufficient_scope` or `issuer_unavailable`.
   */
  async createByLogin(token: string): Promise<NewSession & { isGuessable: boolean }> {
    const { principal } = await this.#authenticateAdmin(token);
    return { ...(await this.#add({ key: principal.keyName, scopes: principal.scopes })), isGuessable: false };
  }

  /** For an API key or a token. Throws `invalid_api_key`, `insufficient_scope` or `issuer_unavailable`. */
  async createByCredential(credential: string): Promise<NewSession & { isGuessable: boolean }> {
    const { principal, keyHash, isGuessable } = await this.#authenticateAdmin(credential);
    const login = { key: principal.keyName, scopes: principal.scopes, until: tokenExpiry(credential) };
    const created = await this.#add(keyHash ? { ...login, keySha256: keyHash.toString("hex") } : login);
    return { ...created, isGuessable };
  }

  /** The session with this secret; undefined if it has ended, also because its key was revoked or has expired. */
  async find(secret: string): Promise<SessionRequest | undefined> {
    const session = await this.#store.findSession(hash(secret), Date.now());
    if (!session) return undefined;
    const { key: keyName, keySha256, scopes } = session;
    if (keySha256 === undefined)
      return { session, principal: { keyName, scopes }, limits: {}, isGuessable: false };
    const key = await this.#authenticator.keys.findByHash(Buffer.from(keySha256, "hex"));
    if (!key) return undefined;
    throwIfExpired(key);
    const granted = key.settings.scopes.filter((scope) => scopes.includes(scope));
    const principal = { ...key.settings, keyName: key.name, scopes: granted };
    return { session, principal, limits: key.settings, isGuessable: false };
  }

  /** False if there is no such session. */
  end(secret: string): Promise<boolean> {
    return this.#store.removeSession(hash(secret));
  }

  /** The number of sessions that have ended. */
  endAll(): Promise<number> {
    return this.#store.removeSessions();
  }

  async #authenticateAdmin(credential: string): Promise<AuthenticatedRequest> {
    const authenticated = await this.#authenticator.authenticate(credential);
    if (authenticated.principal.scopes.includes("admin")) return authenticated;
    throw new GatewayError(
      "insufficient_scope",
      "The console needs a key with the scope “admin”. “moonbridge keys list” shows the scopes of each key.",
    );
  }

  async #add({ until = Number.POSITIVE_INFINITY, ...login }: NewLogin): Promise<NewSession> {
    const secret = randomBytes(32).toString("base64url");
    const createdAt = Date.now();
    const expiresAt = Math.min(createdAt + limits.session, until);
    const session = { ...login, sha256: hash(secret), createdAt, expiresAt };
    await this.#store.addSession(session, limits.sessions);
    return { session, secret };
  }
}

/** `until`: when the credential expires, at the latest, in milliseconds since the epoch. */
type NewLogin = Pick<StoredSession, "key" | "keySha256" | "scopes"> & { until?: number | undefined };

/** When a token expires, which was verified before; undefined for an API key. */
function tokenExpiry(credential: string): number | undefined {
  try {
    const { exp } = decodeJwt(credential);
    return exp === undefined ? undefined : exp * 1_000;
  } catch {
    return undefined;
  }
}
