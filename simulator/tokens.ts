import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Refusal } from "./errors.js";
import { type JsonObject, parseObject, text } from "./json.js";

export type TokenPair = { accessToken: string; refreshToken: string };

export type IssueOptions = {
  /** Another name is another account, with chats of its own. */
  user?: string;
  /** Life of this first access token; those of later refreshes live as long as the simulator says. */
  accessSeconds?: number;
  /** Known to the legacy endpoint only: the account gateway refuses it. */
  legacyOnly?: boolean;
};

/** Whose call it is. */
export type Person = { id: string; name: string };

type Login = Person & { legacyOnly: boolean; goodUntil: number };

const refreshSeconds = 7_776_000;
const mostLogins = 20_000;

/** Makes, checks and rotates JWT-shaped tokens with the claims of generation B (kimi-web.md §2.3). */
export class TokenOffice {
  readonly #secret = randomBytes(32);
  readonly #accessSeconds: number;
  readonly #graceSeconds: number;
  readonly #takesAny: boolean;
  /** Refresh tokens still good, by their serial number. */
  readonly #logins = new Map<number, Login>();
  #serial = 0;
  #expiredUpTo = 0;

  /** With `takesAny` every token is that of the one person there is. */
  constructor(accessSeconds: number, graceSeconds: number, takesAny = false) {
    this.#accessSeconds = accessSeconds;
    this.#graceSeconds = graceSeconds;
    this.#takesAny = takesAny;
  }

  /** A fresh login. */
  issue(options: IssueOptions = {}): TokenPair {
    const name = options.user ?? "simulated";
    const person = { id: personId(name), name };
    return this.#pair(person, options.legacyOnly ?? false, options.accessSeconds ?? this.#accessSeconds);
  }

  /** Whose access token this is; throws the refusal Kimi would give (kimi-web.md §2.9). */
  holder(bearer: string | undefined): Person {
    if (!bearer) throw needLogin();
    if (this.#takesAny) return anybody;
    const claims = this.#open(bearer);
    if (!claims) throw invalidToken("invalid token");
    if (claims.typ !== "access") throw needLogin();
    if (claims.exp <= Date.now() / 1_000 || claims.serial <= this.#expiredUpTo)
      throw invalidToken("token expired");
    return { id: claims.sub, name: claims.name };
  }

  /** Both tokens anew, or undefined for a dead one. The old one lives on for the grace (kimi-web.md §2.3). */
  rotate(refreshToken: string): TokenPair | undefined {
    if (this.#takesAny) return this.#pair(anybody, false, this.#accessSeconds);
    const found = this.#login(refreshToken);
    if (!found || found.login.legacyOnly) return undefined;
    this.#retire(found.serial, found.login);
    return this.#pair(found.login, false, this.#accessSeconds);
  }

  /** The legacy exchange, which tolerates reuse of the old token for good (kimi-web.md §1.2). */
  rotateLegacy(refreshToken: string): TokenPair | undefined {
    if (this.#takesAny) return this.#pair(anybody, true, this.#accessSeconds);
    const found = this.#login(refreshToken);
    return found && this.#pair(found.login, found.login.legacyOnly, this.#accessSeconds);
  }

  /** All access tokens issued so far count as expired. */
  expireAccessTokens(): void {
    this.#expiredUpTo = this.#serial;
  }

  revoke(refreshToken: string): void {
    const claims = this.#open(refreshToken);
    if (claims) this.#logins.delete(claims.serial);
  }

  #login(refreshToken: string): { serial: number; login: Login } | undefined {
    const claims = this.#open(refreshToken);
    const login = claims?.typ === "refresh" ? this.#logins.get(claims.serial) : undefined;
    if (!claims || !login || login.goodUntil <= Date.now()) return undefined;
    return { serial: claims.serial, login };
  }

  #retire(serial: number, login: Login): void {
    if (this.#graceSeconds === 0) this.#logins.delete(serial);
    else login.goodUntil = Math.min(login.goodUntil, Date.now() + this.#graceSeconds * 1_000);
  }

  #pair(person: Person, legacyOnly: boolean, accessSeconds: number): TokenPair {
    const accessToken = this.#sign(person, "access", accessSeconds);
    const refreshToken = this.#sign(person, "refresh", refreshSeconds);
    const { id, name } = person;
    this.#logins.set(this.#serial, { id, name, legacyOnly, goodUntil: Date.now() + refreshSeconds * 1_000 });
    const oldest = this.#logins.keys().next();
    if (this.#logins.size > mostLogins && !oldest.done) this.#logins.delete(oldest.value);
    return { accessToken, refreshToken };
  }

  #sign(person: Person, typ: "access" | "refresh", seconds: number): string {
    this.#serial += 1;
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      // The marker that nobody takes it for a real one.
      iss: "moonbridge-simulator",
      aud: ["kimi.ai"],
      exp: now + seconds,
      iat: now,
      jti: `sim${this.#serial}`,
      typ,
      app_id: "kimi",
      sub: person.id,
      name: person.name,
      abstract_user_id: person.id,
      ssid: "1700000000000000001",
      device_id: "7000000000000000001",
      region: "overseas",
      membership: { level: 10 },
      code_membership: { level: 10 },
    };
    const signed = `${base64({ alg: "HS512", typ: "JWT" })}.${base64(claims)}`;
    return `${signed}.${this.#signature(signed).toString("base64url")}`;
  }

  #signature(signed: string): Buffer {
    return createHmac("sha512", this.#secret).update(signed).digest();
  }

  /** The claims of a token of our own making. */
  #open(token: string): { typ: string; sub: string; name: string; exp: number; serial: number } | undefined {
    const end = token.lastIndexOf(".");
    const given = Buffer.from(token.slice(end + 1), "base64url");
    const right = this.#signature(token.slice(0, end));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const claims = parseObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (!claims) return undefined;
    const { typ, sub, name, jti } = claims;
    const serial = Number(text(jti)?.slice(3));
    return { typ: String(typ), sub: String(sub), name: String(name), exp: Number(claims.exp), serial };
  }
}

function needLogin(): Refusal {
  return new Refusal({ code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" });
}

export function invalidToken(message: string): Refusal {
  return new Refusal({ code: "unauthenticated", reason: "REASON_INVALID_AUTH_TOKEN" }, message);
}

const anybody: Person = { id: personId("simulated"), name: "simulated" };

/** User ids are 20 characters of [0-9a-v] (kimi-web.md §0.3). */
function personId(name: string): string {
  if (/^[0-9a-v]{20}$/.test(name)) return name;
  const digest = createHash("sha256").update(name).digest();
  return Array.from(digest.subarray(0, 20), (byte) => (byte & 31).toString(32)).join("");
}

function base64(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
