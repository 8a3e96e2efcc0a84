import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives the test run a folder for all its temporary files, and takes it away at the end. */
export default function setup(): () => void {
  const room = mkdtempSync(join(tmpdir(), "moonbridge-tests-"));
  process.env.TMPDIR = room;
  return () => rmSync(room, { recursive: true, force: true, maxRetries: 3 });
}
