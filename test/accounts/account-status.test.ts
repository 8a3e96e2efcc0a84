import { expect, test } from "vitest";
import { type CredentialState, toAccountStatus } from "../../src/accounts/account-status.js";
import { GatewayError } from "../../src/core/errors.js";

const day = 86_400_000;
const healthy: CredentialState = {
  isUsable: true,
  isRefreshable: true,
  expiresAt: Date.now() + 90 * day,
  lastError: undefined,
  retryAt: Date.now(),
};
const unreachable = new GatewayError("upstream_unavailable", "Kimi cannot be reached.");
const refused = new GatewayError("account_login_required", "no");

test.each<[what: string, facts: Partial<CredentialState>, state: string, detail: RegExp]>([
  ["reports ok for valid, refreshable credentials", {}, "ok", /renews itself\.$/],
  ["reports ok for an expired access token with a refresh token", { isUsable: false }, "ok", /renews itself/],
  [
    "reports ok with the error if a refresh failed but the access token is valid",
    { lastError: unreachable },
    "ok",
    /cannot be reached/,
  ],
  [
    "reports unavailable if a refresh failed and the access token has expired",
    { lastError: unreachable, isUsable: false },
    "unavailable",
    /by itself/,
  ],
  [
    "requires a login after a refused refresh",
    { lastError: refused, isUsable: false },
    "login required",
    /moonbridge login/,
  ],
  [
    "requires a login after a refused refresh although the access token is valid",
    { lastError: refused },
    "login required",
    /Log in there/,
  ],
  ["reports expiring without a refresh token", { isRefreshable: false }, "expiring", /no refresh token/],
  [
    "requires a login for an expired access token without a refresh token",
    { isRefreshable: false, isUsable: false },
    "login required",
    /Copy access_token/,
  ],
  [
    "reports expiring if the refresh token ends within days",
    { expiresAt: Date.now() + 3 * day },
    "expiring",
    /log in on Kimi's site/,
  ],
  ["reports ok for tokens without an expiry", { expiresAt: undefined }, "ok", /renews itself/],
])("%s", (_, facts, state, detail) => {
  expect(toAccountStatus({ ...healthy, ...facts })).toMatchObject({
    state,
    detail: expect.stringMatching(detail),
  });
});

test("includes when the credentials expire, or when the refresh is retried", () => {
  expect(toAccountStatus(healthy)).toMatchObject({ expiresAt: healthy.expiresAt });
  const later = Date.now() + 30_000;
  const facts = { ...healthy, isUsable: false, lastError: unreachable, retryAt: later };
  expect(toAccountStatus(facts)).toMatchObject({ until: later });
});
