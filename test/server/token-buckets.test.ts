import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBuckets } from "../../src/server/token-buckets.js";

const minute = 60_000;

test("a full bucket gives all its tokens at once, then one per share of the refill time", () => {
  const buckets = new TokenBuckets(10);
  const allowance = { tokens: 3, refillMs: minute };
  expect(buckets.state("a", allowance, 0)).toEqual({ remaining: 3, secondsToNext: 0, secondsToFull: 0 });
  for (let n = 0; n < 3; n++) expect(buckets.take("a", allowance, 0)).toBe(true);
  expect(buckets.take("a", allowance, 19_999)).toBe(false);
  expect(buckets.state("a", allowance, 5_000)).toEqual({
    remaining: 0,
    secondsToNext: 15,
    secondsToFull: 55,
  });
  expect(buckets.take("a", allowance, 20_000)).toBe(true);
  expect(buckets.take("a", allowance, 20_000)).toBe(false);
  expect(buckets.state("a", allowance, 10 * minute)).toEqual({
    remaining: 3,
    secondsToNext: 0,
    secondsToFull: 0,
  });
});

test("waiting for the reported time yields a token, and no bucket gives more than its capacity plus the refill", () => {
  const allowance = fc.record({
    tokens: fc.integer({ min: 1, max: 500 }),
    refillMs: fc.integer({ min: 1_000, max: 600_000 }),
  });
  fc.assert(
    fc.property(
      allowance,
      fc.array(fc.nat(30_000), { minLength: 1, maxLength: 200 }),
      (allowance, pauses) => {
        const buckets = new TokenBuckets(1);
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (buckets.take("a", allowance, now)) taken++;
          expect(taken).toBeLessThanOrEqual(
            allowance.tokens + (now * allowance.tokens) / allowance.refillMs + 1e-6,
          );
        }
        now += buckets.state("a", allowance, now).secondsToNext * 1_000;
        expect(buckets.take("a", allowance, now)).toBe(true);
      },
    ),
  );
});

test("a lower allowance limits the tokens that are left", () => {
  const buckets = new TokenBuckets(10);
  buckets.take("a", { tokens: 100, refillMs: minute }, 0);
  expect(buckets.state("a", { tokens: 2, refillMs: minute }, 0).remaining).toBe(2);
});

test("names beyond the size evict the least recently used one", () => {
  const buckets = new TokenBuckets(2);
  const allowance = { tokens: 1, refillMs: minute };
  for (const name of ["a", "b", "a", "c"]) buckets.take(name, allowance, 0);
  const remaining = (name: string) => buckets.state(name, allowance, 0).remaining;
  expect([remaining("a"), remaining("b"), remaining("c")]).toEqual([1, 0, 0]);
});
