import { expect, test } from "vitest";
import { CircuitBreaker } from "../../src/chat/circuit-breaker.js";
import { GatewayError } from "../../src/core/errors.js";
import { limits } from "../../src/core/limits.js";

const { breakerFailures, breakerPause, breakerMaxPause } = limits;
const down = new GatewayError("upstream_unavailable", "Down.");

function failedTimes(times: number, now = 0): CircuitBreaker {
  const breaker = new CircuitBreaker();
  for (let n = 0; n < times; n++) breaker.recordFailure(down, `prompt ${n}`, now);
  return breaker;
}

test("opens after `breakerFailures` failures in a row, and not before", () => {
  expect(failedTimes(breakerFailures - 1).allowsRequests(0)).toBe(true);
  expect(failedTimes(breakerFailures).allowsRequests(0)).toBe(false);
});

test("one prompt that fails again and again does not open it", () => {
  const breaker = new CircuitBreaker();
  for (let n = 0; n < 10; n++) breaker.recordFailure(down, "poison", 0);
  expect(breaker.isOpen).toBe(false);
});

test("a success resets the count of failures", () => {
  const breaker = failedTimes(breakerFailures - 1);
  breaker.recordSuccess();
  breaker.recordFailure(down, "another prompt", 0);
  expect(breaker.isOpen).toBe(false);
});

test("after the pause an open breaker allows one request until it succeeds", () => {
  const breaker = failedTimes(breakerFailures);
  expect(breaker.allowsRequests(breakerPause)).toBe(true);
  breaker.recordAttempt(breakerPause);
  expect(breaker.allowsRequests(breakerPause)).toBe(false);
  breaker.recordSuccess();
  expect(breaker.allowsRequests(breakerPause)).toBe(true);
});

test("each failed try doubles the pause, up to `breakerMaxPause`", () => {
  const breaker = failedTimes(breakerFailures);
  let now = 0;
  let pause: number = breakerPause;
  for (let n = 0; n < 20; n++) {
    expect(breaker.allowsRequests(now + pause - 1)).toBe(false);
    now += pause;
    expect(breaker.allowsRequests(now)).toBe(true);
    breaker.recordAttempt(now);
    breaker.recordFailure(down, "the same prompt", now);
    pause = Math.min(2 * pause, breakerMaxPause);
  }
});

test("errors of a request or an account, and defects, are not counted", () => {
  const breaker = new CircuitBreaker();
  for (const code of ["invalid_request", "quota_exceeded", "account_login_required", "cancelled"] as const) {
    for (let n = 0; n < 10; n++)
      breaker.recordFailure(new GatewayError(code, "Not its fault."), `prompt ${n}`, 0);
  }
  breaker.recordFailure(new Error("a defect"), "a prompt", 0);
  expect(breaker.isOpen).toBe(false);
});
