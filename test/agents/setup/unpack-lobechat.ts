import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

const folder = join(import.meta.dirname, "..");
const target = join(folder, "node_modules", "@lobehub", "chat");
/** The parts of the package that its model runtime imports. */
const members = ["package/package.json", "package/packages", "package/src/config"];
/** Its own packages, which import each other by these names, by their folder. */
const links = {
  "@lobechat/const": "const",
  "@lobechat/types": "types",
  "@lobechat/utils": "utils",
  "model-bank": "model-bank",
};

type Source = { name: string; version: string; integrity: string };

/**
 * Unpacks the source of LobeChat, unless this version is there. It is no dependency: with those of its web pages npm would
 * install gigabytes, of which the model runtime imports fifteen small packages. Throws if the registry has another file.
 */
export function unpackLobeChat(): void {
  const { lobechat: source }: { lobechat: Source } = readJson(join(folder, "package.json"));
  const installed = join(target, "package.json");
  if (existsSync(installed) && readJson(installed).version === source.version) return;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const archive = download(source);
  execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components=1", ...members]);
  rmSync(archive);
  for (const [name, part] of Object.entries(links)) {
    const link = join(target, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(target, "packages", part), link);
  }
}

/** The path of the downloaded package. */
function download({ name, version, integrity }: Source): string {
  const args = ["pack", `${name}@${version}`, "--json", "--ignore-scripts", "--pack-destination", target];
  const [packed] = JSON.parse(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
  if (packed.integrity !== integrity) throw new Error(`${name} ${version}: not the file of package.json`);
  return join(target, packed.filename);
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}
