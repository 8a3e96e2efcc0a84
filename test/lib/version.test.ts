import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { version } from "../../src/lib/version.js";

test("the version equals that of package.json", () => {
  const { version: packageVersion } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(version).toBe(packageVersion);
});
