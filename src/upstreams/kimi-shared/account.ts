import { Credentials, type RefreshTokens } from "../../accounts/credentials.js";
import { limits } from "../../core/limits.js";
import type { TokenPair } from "../../core/token.js";
import type { AccountStatus } from "../../core/types.js";
import type { IdleTimeouts, UpstreamContext } from "../context.js";
import { renewedTokenError } from "./errors.js";

/** How a protocol refreshes tokens, and how its errors say that an access token was rejected. */
type TokenProtocol = { refresh: RefreshTokens; isRejection: (error: unknown) => boolean };

/** One person's Kimi account, which both protocols sign in with. */
export class KimiAccount {
  readonly #credentials: Credentials;
  readonly isRejection: TokenProtocol["isRejection"];

  private constructor(credentials: Credentials, isRejection: TokenProtocol["isRejection"]) {
    this.#credentials = credentials;
    this.isRejection = isRejection;
  }

  /** Opens the account with the configured tokens or the stored ones. Sends no request yet. */
  static async open(
    { name, tokens }: { name: string; tokens: TokenPair },
    { refresh, isRejection }: TokenProtocol,
    { store, warn }: Pick<UpstreamContext, "store" | "warn">,
  ): Promise<KimiAccount> {
    return new KimiAccount(await Credentials.open(name, tokens, { store, refresh, warn }), isRejection);
  }

  /** A valid access token; see `Credentials.accessToken`. */
  accessToken(signal: AbortSignal, minimumLifetime = 0): Promise<string> {
    return this.#credentials.accessToken(signal, minimumLifetime);
  }

  /** A call with a valid access token. A rejected token is refreshed and the call repeated, once. */
  call<T>(signal: AbortSignal, request: (token: string) => Promise<T>): Promise<T> {
    const requestAndConfirm = async (token: string) => {
      const result = await request(token);
      this.confirm(token);
      return result;
    };
    return this.#credentials.withAccessToken(requestAndConfirm, this.isRejection, signal);
  }

  /** Call when Kimi has accepted this access token: the pair before it is no longer needed. */
  confirm(token: string): void {
    void this.#credentials.confirm(token);
  }

  /** A new access token after Kimi rejected this one; see `Credentials.replace`. */
  replace(token: string, signal: AbortSignal): Promise<string> {
    return this.#credentials.replace(token, signal);
  }

  /** Refreshes an access token that Kimi rejected during an answer which cannot be repeated, and throws the error that says so. */
  async replaceAndFail(token: string, signal: AbortSignal): Promise<never> {
    await this.replace(token, signal);
    throw renewedTokenError();
  }

  accountId(): string {
    return this.#credentials.accountId();
  }

  firstName(): string | undefined {
    return this.#credentials.firstName();
  }

  status(): AccountStatus {
    return this.#credentials.status();
  }

  close(): Promise<void> {
    return this.#credentials.close();
  }
}

/** The timeouts of Kimi's answers, in milliseconds. */
export function answerTimeouts({ timeouts }: Pick<UpstreamContext, "timeouts">): IdleTimeouts {
  return timeouts ?? { idle: limits.upstreamIdle, progress: limits.upstreamProgress };
}
