import { expect, test } from "vitest";
import { BoundedMap } from "../../src/lib/bounded-map.js";

test("drops the entry that was set longest ago", () => {
  const map = new BoundedMap<number>(10);
  for (let n = 0; n <= 10; n++) map.set(String(n), n);
  expect(map.get("0")).toBeUndefined();
  expect(map.get("1")).toBe(1);
  map.set("1", 1);
  map.set("11", 11);
  expect(map.get("1")).toBe(1);
  expect(map.get("2")).toBeUndefined();
});

test("lists its values in the order in which they were set, without those deleted", () => {
  const map = new BoundedMap<number>(3);
  for (let n = 0; n < 4; n++) map.set(String(n), n);
  map.set("1", 9);
  map.delete("2");
  map.delete("?");
  expect(map.values()).toEqual([3, 9]);
});
