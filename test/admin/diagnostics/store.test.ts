import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toEnglish } from "../../../src/admin/diagnostics/finding.js";
import { checkStore } from "../../../src/admin/diagnostics/store.js";
import { createTemporaryFolder } from "../../cli/process.js";

test("a database that other users can read is a warning", async () => {
  const storePath = join(createTemporaryFolder(), "moonbridge.db");
  writeFileSync(storePath, "x".repeat(2_048), { mode: 0o644 });
  const store = { kind: "sqlite", path: storePath } as const;
  const findings = await checkStore({ store, encryptionKeys: [Buffer.alloc(32)] });
  expect(findings.map(toEnglish)).toEqual([
    {
      what: "store",
      state: "warn",
      detail: `${storePath}, 2.0 KB; logins in it are sealed; other users of this machine can read it`,
      remedy: `Its owner should run: chmod 600 ${storePath}*`,
    },
  ]);
});
