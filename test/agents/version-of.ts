import { readFileSync } from "node:fs";
import { join } from "node:path";

const lock = JSON.parse(readFileSync(join(import.meta.dirname, "package-lock.json"), "utf8"));

/** The version of a package in the lock file. */
export function versionOf(name: string): string {
  return lock.packages[`node_modules/${name}`].version;
}
