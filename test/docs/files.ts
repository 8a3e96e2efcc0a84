import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of the repository's folder. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The files below a folder with this extension, sorted, without installed packages; as paths from the repository's folder,
 * with slashes.
 */
export function listFiles(folder: string, extension: string): string[] {
  return readdirSync(`${repositoryRoot}/${folder}`, { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(extension) && !path.includes("/node_modules/"))
    .sort();
}

/** The text of a file with `\n` as line ends; `path` is from the repository's folder. */
export function readText(path: string): string {
  return readFileSync(`${repositoryRoot}/${path}`, "utf8").replaceAll("\r\n", "\n");
}
