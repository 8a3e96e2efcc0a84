import { expect, test } from "vitest";
import { accountState, type LoginFacts } from "../../src/accounts/account-status.js";
import { GatewayError } from "../../src/core/errors.js";

const day = 86_400_000;
const well: LoginFacts = {
  serves: true,
  renewable: true,
  endsAt: Date.now() + 90 * day,
  setback: undefined,
  triesAgainAt: Date.now(),
};
const unreachable = new GatewayError("upstream_unavailable", "Kimi cannot be reached.");
const refused = new GatewayError("account_login_required", "no");

test.each<[what: string, facts: Partial<LoginFacts>, state: string, detail: RegExp]>([
  ["all is well", {}, "ok", /renews itself\.$/],
  ["expired, to be renewed when it is needed", { serves: false }, "ok", /renews itself/],
  ["a renewal has failed, but there is time", { setback: unreachable }, "ok", /cannot be reached/],
  [
    "a renewal has failed, and time is up",
    { setback: unreachable, serves: false },
    "unavailable",
    /by itself/,
  ],
  ["refused", { setback: refused, serves: false }, "login required", /moonbridge login/],
  ["refused, though the access token still serves", { setback: refused }, "login required", /Log in there/],
  ["an access token alone", { renewable: false }, "expiring", /no refresh token/],
  [
    "an access token alone, expired",
    { renewable: false, serves: false },
    "login required",
    /Copy access_token/,
  ],
  ["the refresh token ends this week", { endsAt: Date.now() + 3 * day }, "expiring", /log in on Kimi's site/],
  ["the tokens do not say when they end", { endsAt: undefined }, "ok", /renews itself/],
])("%s", (_, facts, state, detail) => {
  expect(accountState({ ...well, ...facts })).toMatchObject({ state, detail: expect.stringMatching(detail) });
});

test("says when the login ends, and when it is tried again", () => {
  expect(accountState(well)).toMatchObject({ expiresAt: well.endsAt });
  const later = Date.now() + 30_000;
  const facts = { ...well, serves: false, setback: unreachable, triesAgainAt: later };
  expect(accountState(facts)).toMatchObject({ until: later });
});
