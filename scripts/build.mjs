// Compiles src/ and simulator/ into dist/.
//
//   node scripts/build.mjs           only what changed since the last build; nothing at all if nothing did
//   node scripts/build.mjs --full    everything
//
// dist/build.json holds a hash of all inputs and one of all outputs. Outputs that do not match it (deleted, edited,
// left by a build that was interrupted or failed) are compiled anew, all of them.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const folders = ["src", "simulator"];
const state = "dist/build.json";
// Kept by tsc: what it compiled, and from which sources.
const buildInfo = "dist/build.tsbuildinfo";

const full = process.argv.includes("--full");
const last = full ? undefined : readState();
const inputs = hashInputs();
const intact = last !== undefined && last.outputs === hashOutputs();
if (!intact || last.inputs !== inputs) {
  if (!intact) rmSync(buildInfo, { force: true });
  compile();
  for (const folder of folders) removeStale(folder);
  writeFileSync(state, JSON.stringify({ inputs, outputs: hashOutputs() }));
}

function readState() {
  try {
    return JSON.parse(readFileSync(state, "utf8"));
  } catch {
    return undefined; // no build yet, or one that was cut short while it wrote this file
  }
}

function hashInputs() {
  const settings = ["package-lock.json", "tsconfig.json", "tsconfig.build.json", "scripts/build.mjs"];
  return hash([...folders.flatMap(filesIn), ...settings]);
}

function hashOutputs() {
  return hash([...folders.flatMap((folder) => filesIn(`dist/${folder}`)), buildInfo]);
}

function hash(files) {
  const sum = createHash("sha256");
  for (const file of files.sort()) {
    const bytes = existsSync(file) ? readFileSync(file) : "missing";
    sum.update(`${file}\n${bytes.length}\n`).update(bytes);
  }
  return sum.digest("hex");
}

/** The paths of all files under a folder, with slashes on every platform; none if there is no such folder. */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

function compile() {
  const compiler = dirname(createRequire(import.meta.url).resolve("@typescript/native/package.json"));
  const options = ["-p", "tsconfig.build.json", "--incremental", "--tsBuildInfoFile", buildInfo];
  const { status, error } = spawnSync(process.execPath, [join(compiler, "bin/tsc"), ...options], {
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Removes what was compiled from sources that are no longer there, and the folders that are empty then. */
function removeStale(folder) {
  const output = `dist/${folder}`;
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.isDirectory()) removeStale(`${folder}/${entry.name}`);
    else if (!existsSync(`${folder}/${entry.name.replace(/\.js(\.map)?$/, ".ts")}`))
      rmSync(join(output, entry.name));
  }
  if (readdirSync(output).length === 0) rmdirSync(output);
}
