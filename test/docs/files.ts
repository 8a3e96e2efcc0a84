import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files below a folder whose names end so, as paths from the root with slashes. */
export function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(extension))
    .sort();
}

export function read(path: string): string {
  return readFileSync(`${root}/${path}`, "utf8").replaceAll("\r\n", "\n");
}
