import { expect, test } from "vitest";
import { BoundedMap } from "../../src/lib/bounded-map.js";

test("what was set longest ago is forgotten first", () => {
  const recent = new BoundedMap<number>(10);
  for (let name = 0; name <= 10; name++) recent.set(String(name), name);
  expect(recent.get("0")).toBeUndefined();
  expect(recent.get("1")).toBe(1);
  recent.set("1", 1);
  recent.set("11", 11);
  expect(recent.get("1")).toBe(1);
  expect(recent.get("2")).toBeUndefined();
});
