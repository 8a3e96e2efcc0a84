import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates a folder for all temporary files of the test run and deletes it at the end. */
export default function setup(): () => void {
  const temporaryFolder = mkdtempSync(join(tmpdir(), "moonbridge-tests-"));
  process.env.TMPDIR = temporaryFolder;
  return () => rmSync(temporaryFolder, { recursive: true, force: true, maxRetries: 3 });
}
