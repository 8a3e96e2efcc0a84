import { expect, test } from "vitest";
import { checkNode } from "../../../src/admin/diagnostics/config.js";

test.each([
  ["18.20.8", "fail"],
  ["20.18.3", "fail"],
  ["20.19.0", "ok"],
  ["24.1.0", "ok"],
])("Node.js %s: %s", (running, state) => {
  expect(checkNode(running).state).toBe(state);
});
