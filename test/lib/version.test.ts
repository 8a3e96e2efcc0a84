import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { version } from "../../src/lib/version.js";

test("the version is the package's", () => {
  const { version: packaged } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(version).toBe(packaged);
});
