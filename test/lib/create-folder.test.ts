import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createFolder } from "../../src/lib/create-folder.js";

function createTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("creates a folder and those above it, for their owner only", async () => {
  const folder = createTemporaryFolder();
  await Promise.all([createFolder(join(folder, "a/b/c")), createFolder(join(folder, "a/b/d"))]);
  const modes = ["a", "a/b", "a/b/c", "a/b/d"].map((name) => statSync(join(folder, name)).mode & 0o777);
  if (process.platform !== "win32") expect(modes).toEqual([0o700, 0o700, 0o700, 0o700]);
});

test("leaves a folder that exists as it is, and does not take a file for one", async () => {
  const folder = createTemporaryFolder();
  mkdirSync(join(folder, "shared"), { mode: 0o755 });
  await createFolder(join(folder, "shared"));
  expect(statSync(join(folder, "shared")).mode & 0o700).toBe(0o700);
  writeFileSync(join(folder, "file"), "");
  await expect(createFolder(join(folder, "file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(createFolder(join(folder, "file/below"))).rejects.toThrow();
});

test.runIf(process.platform === "linux")("fails in a folder that takes no new entries", async () => {
  await expect(createFolder("/proc/moonbridge/folder")).rejects.toMatchObject({ code: "ENOENT" });
});
