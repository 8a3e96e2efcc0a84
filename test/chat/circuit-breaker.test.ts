import { expect, test } from "vitest";
import { Breaker } from "../../src/chat/circuit-breaker.js";
import { GatewayError } from "../../src/core/errors.js";
import { limits } from "../../src/core/limits.js";

const { breakerFailures, breakerPause, breakerLongestPause } = limits;
const down = new GatewayError("upstream_unavailable", "Down.");

function failing(times: number, now = 0): Breaker {
  const breaker = new Breaker();
  for (let n = 0; n < times; n++) breaker.failed(down, now);
  return breaker;
}

test("opens after some failures in a row, and not before", () => {
  expect(failing(breakerFailures - 1).admits(0)).toBe(true);
  expect(failing(breakerFailures).admits(0)).toBe(false);
});

test("a success in between begins the count anew", () => {
  const breaker = failing(breakerFailures - 1);
  breaker.succeeded();
  breaker.failed(down, 0);
  expect(breaker.isOpen).toBe(false);
});

test("after its pause one request tries; the others still go elsewhere", () => {
  const breaker = failing(breakerFailures);
  expect(breaker.admits(breakerPause)).toBe(true);
  breaker.begin(breakerPause);
  expect(breaker.admits(breakerPause)).toBe(false);
  breaker.succeeded();
  expect(breaker.admits(breakerPause)).toBe(true);
});

test("a try that fails makes the pause longer, up to a bound", () => {
  const breaker = failing(breakerFailures);
  let now = 0;
  let pause: number = breakerPause;
  for (let n = 0; n < 20; n++) {
    expect(breaker.admits(now + pause - 1)).toBe(false);
    now += pause;
    expect(breaker.admits(now)).toBe(true);
    breaker.begin(now);
    breaker.failed(down, now);
    pause = Math.min(2 * pause, breakerLongestPause);
  }
});

test("what is wrong with a request or an account does not count", () => {
  const breaker = new Breaker();
  for (const code of ["invalid_request", "quota_exceeded", "account_login_required", "cancelled"] as const) {
    for (let n = 0; n < 10; n++) breaker.failed(new GatewayError(code, "Not its fault."), 0);
  }
  breaker.failed(new Error("a defect"), 0);
  expect(breaker.isOpen).toBe(false);
});
