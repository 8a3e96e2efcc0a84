import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isNodeSupported, minimumNodeVersion } from "../../src/lib/node-version.js";

test.each([
  ["18.20.8", false],
  ["20.18.3", false],
  ["20.19.0", true],
  ["21.0.0", true],
  ["24.1.0", true],
  ["v?", false],
])("Node.js %s is supported: %s", (version, isSupported) => {
  expect(isNodeSupported(version)).toBe(isSupported);
});

test("the minimum is that of package.json", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(manifest.engines.node).toBe(`>=${minimumNodeVersion.join(".")}`);
});
