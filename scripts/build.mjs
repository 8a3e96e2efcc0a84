// Compiles src/ and simulator/ into dist/, and bundles console/ into dist/console/.
//
//   node scripts/build.mjs           only what changed since the last build; nothing if nothing has changed
//   node scripts/build.mjs --full    everything
//
// dist/build.json holds a hash of all inputs and one of all outputs of the program, dist/console.json those of the console. If
// the outputs do not match it (a file was deleted or edited, or a build was interrupted or failed), everything is built again.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const folders = ["src", "simulator"];
const stateFile = "dist/build.json";
const consoleStateFile = "dist/console.json";
// Written and read by tsc: what it compiled, and from which sources.
const buildInfoFile = "dist/build.tsbuildinfo";

const isFullBuild = process.argv.includes("--full");
const lastBuild = readState(stateFile);
const inputs = hashInputs();
const outputsAreIntact = lastBuild !== undefined && lastBuild.outputs === hashOutputs();
if (!outputsAreIntact || lastBuild.inputs !== inputs) {
  if (!outputsAreIntact) rmSync(buildInfoFile, { force: true });
  compile();
  for (const folder of folders) removeStaleOutputs(folder);
  writeFileSync(stateFile, JSON.stringify({ inputs, outputs: hashOutputs() }));
}

const lastConsole = readState(consoleStateFile);
const consoleInputs = hashFiles([...listFiles("console"), "package-lock.json", "scripts/build.mjs"]);
if (lastConsole?.inputs !== consoleInputs || lastConsole.outputs !== hashFiles(listFiles("dist/console"))) {
  bundleConsole();
  const outputs = hashFiles(listFiles("dist/console"));
  writeFileSync(consoleStateFile, JSON.stringify({ inputs: consoleInputs, outputs }));
}

/** What the last build wrote down; undefined in a full build, which uses nothing of it. */
function readState(file) {
  if (isFullBuild) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined; // There was no build yet, or the last one was interrupted while it wrote this file.
  }
}

function hashInputs() {
  const settings = ["package-lock.json", "tsconfig.json", "tsconfig.build.json", "scripts/build.mjs"];
  return hashFiles([...folders.flatMap(listFiles), ...settings]);
}

function hashOutputs() {
  return hashFiles([...folders.flatMap((folder) => listFiles(`dist/${folder}`)), buildInfoFile]);
}

/** A SHA-256 hash of the names and contents of these files; a missing file counts as well. */
function hashFiles(files) {
  const hasher = createHash("sha256");
  for (const file of files.sort()) {
    const bytes = existsSync(file) ? readFileSync(file) : "missing";
    hasher.update(`${file}\n${bytes.length}\n`).update(bytes);
  }
  return hasher.digest("hex");
}

/** The paths of all files under a folder, with slashes on every platform; none if there is no such folder. */
function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/** Runs the TypeScript compiler; ends this process with its exit code if it fails. */
function compile() {
  const compiler = dirname(createRequire(import.meta.url).resolve("@typescript/native/package.json"));
  const options = ["-p", "tsconfig.build.json", "--incremental", "--tsBuildInfoFile", buildInfoFile];
  run(join(compiler, "bin/tsc"), options);
}

/** Bundles the console with Vite; ends this process with its exit code if it fails. */
function bundleConsole() {
  if (!existsSync("node_modules/react")) {
    console.error("The packages of the console are not installed. Run: npm ci --ignore-scripts");
    process.exit(1);
  }
  const vite = dirname(createRequire(import.meta.url).resolve("vite/package.json"));
  run(join(vite, "bin/vite.js"), ["build", "--config", "console/vite.config.ts", "--logLevel", "warn"]);
}

function run(program, options) {
  const { status, error } = spawnSync(process.execPath, [program, ...options], { stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Removes outputs whose source no longer exists, and folders that become empty. */
function removeStaleOutputs(folder) {
  const output = `dist/${folder}`;
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.isDirectory()) removeStaleOutputs(`${folder}/${entry.name}`);
    else if (!existsSync(`${folder}/${entry.name.replace(/\.js(\.map)?$/, ".ts")}`))
      rmSync(join(output, entry.name));
  }
  if (readdirSync(output).length === 0) rmdirSync(output);
}
