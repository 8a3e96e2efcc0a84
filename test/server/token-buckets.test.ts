import fc from "fast-check";
import { expect, test } from "vitest";
import { Buckets } from "../../src/server/token-buckets.js";

const minute = 60_000;

test("so many at once, then one each time a share of the time has passed", () => {
  const buckets = new Buckets(10);
  const allowance = { most: 3, within: minute };
  expect(buckets.look("a", allowance, 0)).toEqual({ left: 3, next: 0, all: 0 });
  for (let n = 0; n < 3; n++) expect(buckets.take("a", allowance, 0)).toBe(true);
  expect(buckets.take("a", allowance, 19_999)).toBe(false);
  expect(buckets.look("a", allowance, 5_000)).toEqual({ left: 0, next: 15, all: 55 });
  expect(buckets.take("a", allowance, 20_000)).toBe(true);
  expect(buckets.take("a", allowance, 20_000)).toBe(false);
  expect(buckets.look("a", allowance, 10 * minute)).toEqual({ left: 3, next: 0, all: 0 });
});

test("who waits as long as it was told is let in; nobody gets more than a full bucket and what flows in", () => {
  const allowance = fc.record({
    most: fc.integer({ min: 1, max: 500 }),
    within: fc.integer({ min: 1_000, max: 600_000 }),
  });
  fc.assert(
    fc.property(
      allowance,
      fc.array(fc.nat(30_000), { minLength: 1, maxLength: 200 }),
      (allowance, pauses) => {
        const buckets = new Buckets(1);
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (buckets.take("a", allowance, now)) taken++;
          expect(taken).toBeLessThanOrEqual(
            allowance.most + (now * allowance.most) / allowance.within + 1e-6,
          );
        }
        now += buckets.look("a", allowance, now).next * 1_000;
        expect(buckets.take("a", allowance, now)).toBe(true);
      },
    ),
  );
});

test("an allowance that shrank leaves no more than it", () => {
  const buckets = new Buckets(10);
  buckets.take("a", { most: 100, within: minute }, 0);
  expect(buckets.look("a", { most: 2, within: minute }, 0).left).toBe(2);
});

test("names beyond the size push out the one that was used longest ago", () => {
  const buckets = new Buckets(2);
  const allowance = { most: 1, within: minute };
  for (const name of ["a", "b", "a", "c"]) buckets.take(name, allowance, 0);
  const left = (name: string) => buckets.look(name, allowance, 0).left;
  expect([left("a"), left("b"), left("c")]).toEqual([1, 0, 0]);
});
