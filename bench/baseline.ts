import { execFileSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The folder of another build: the given one, or a worktree of this revision, which is built with our packages. */
export function prepareBaseline(folderOrRevision: string): string {
  if (existsSync(folderOrRevision)) return resolve(folderOrRevision);
  const revision = execFileSync("git", ["rev-parse", folderOrRevision], { encoding: "utf8" }).trim();
  const folder = join(tmpdir(), `moonbridge-${revision}`);
  if (existsSync(`${folder}/dist/build.json`)) return folder;
  execFileSync("git", ["worktree", "add", "--detach", folder, revision], { stdio: "inherit" });
  symlinkSync(resolve("node_modules"), `${folder}/node_modules`);
  execFileSync(process.execPath, ["scripts/build.mjs", "--full"], { cwd: folder, stdio: "inherit" });
  return folder;
}
