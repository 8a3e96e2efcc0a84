// Packs the package as npm publishes it, installs it globally into a temporary folder, sends a first chat request, and tries
// the commands keys, doctor and health and the stop of the server.
//
//   npm run check:package                    with the Node that runs this
//   npm run check:package -- 20 22 24 26     with each of these, fetched from the npm registry
//
// It is part of every release, but not of `npm test`, since it needs the npm registry.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const isWindows = process.platform === "win32";
const npm = process.env.npm_execpath ?? fail("run this as: npm run check:package");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lockfile = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
// The path contains a space, like many home folders on Windows.
const workFolder = mkdtempSync(join(tmpdir(), "moonbridge package "));

try {
  const archive = pack();
  const versions = process.argv.slice(2);
  for (const version of versions.length > 0 ? versions : [undefined]) {
    const node = version === undefined ? process.execPath : fetchNode(version);
    await checkPackage(node, archive);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(workFolder, { recursive: true, force: true, maxRetries: 10 });
}

/** Packs the package and returns the path of the archive. Throws if it has other files than the program, documents and packages. */
function pack() {
  const [packed] = JSON.parse(
    run(process.execPath, [npm, "pack", "--json", "--pack-destination", workFolder], { cwd: root }),
  );
  const files = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("node_modules/"));
  const expected =
    /^(dist\/(src|simulator)\/.*\.js|dist\/console\/.*|docs\/.*|deploy\/moonbridge\.service|(README(\.zh-CN)?|CHANGELOG)\.md|LICENSE|package\.json)$/;
  const unexpected = files.filter((path) => !expected.test(path));
  if (unexpected.length > 0) fail(`packed, but not part of the product: ${unexpected.join(", ")}`);
  const megabytes = (packed.size / 1e6).toFixed(1);
  const packages = `${packed.bundled.length} packages bundled`;
  console.log(`${packed.filename}: ${megabytes} MB, ${files.length} files of our own, ${packages}`);
  return join(workFolder, packed.filename);
}

/** Installs this version of Node from the npm registry, as a package for this platform, and returns the path of `node`. */
function fetchNode(version) {
  const folder = join(workFolder, `node-${version}`);
  const name = `node-${isWindows ? "win" : process.platform}-${process.arch}`;
  mkdirSync(folder);
  run(process.execPath, [
    npm,
    "install",
    "--prefix",
    folder,
    "--no-save",
    "--ignore-scripts",
    `${name}@${version}`,
  ]);
  return join(folder, "node_modules", name, "bin", isWindows ? "node.exe" : "node");
}

/** Installs the archive with this `node`, and checks the packages, the commands, a first chat and the stop. */
async function checkPackage(node, archive) {
  const version = run(node, ["--version"]).trim();
  const prefix = join(workFolder, `prefix-${version}`);
  mkdirSync(prefix);
  const env = cleanEnvironment(node);
  run(node, [npm, "install", "--global", "--prefix", prefix, archive], { env });
  const modules = isWindows ? join(prefix, "node_modules") : join(prefix, "lib", "node_modules");
  const count = compareWithLock(join(modules, manifest.name));

  const command = isWindows ? join(prefix, "moonbridge.cmd") : join(prefix, "bin", "moonbridge");
  const printedVersion = run(`"${command}"`, ["--version"], { env, shell: true }).trim();
  if (printedVersion !== manifest.version)
    fail(`moonbridge --version prints ${printedVersion}, not ${manifest.version}`);

  const answer = await firstChat(node, join(modules, manifest.name, manifest.bin.moonbridge), env);
  console.log(
    `Node ${version}: ${count} packages as in package-lock.json, moonbridge ${printedVersion}, “${answer}”`,
  );
}

/** Throws unless the packages inside the installed one have the versions of the lockfile; returns their number. */
function compareWithLock(packageFolder) {
  const locked = Object.entries(lockfile.packages).filter(([path, entry]) => path !== "" && !entry.dev);
  const lockedVersions = new Map();
  for (const [path, { version }] of locked) {
    const name = path.replace(/^.*node_modules\//, "");
    lockedVersions.set(name, [...(lockedVersions.get(name) ?? []), version]);
  }
  const installedPackages = packagesBelow(join(packageFolder, "node_modules"));
  for (const { name, version } of installedPackages) {
    if (!lockedVersions.get(name)?.includes(version))
      fail(`${name} ${version} is installed; package-lock.json: ${lockedVersions.get(name)}`);
  }
  const missing = locked.filter(
    ([path, { version, optional }]) =>
      !optional &&
      !installedPackages.some(
        (installed) => path.endsWith(`node_modules/${installed.name}`) && installed.version === version,
      ),
  );
  if (missing.length > 0) fail(`not installed: ${missing.map(([path]) => path).join(", ")}`);
  return installedPackages.length;
}

/** Name and version of every package in a `node_modules` folder and inside those packages. */
function packagesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith(".")) return [];
    const path = join(folder, name);
    if (name.startsWith("@")) return packagesBelow(path);
    const { name: fullName, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    return [{ name: fullName, version }, ...packagesBelow(join(path, "node_modules"))];
  });
}

/** Starts the installed program without a config, and sends a chat request with the key that it prints. Returns the answer. */
async function firstChat(node, program, env) {
  const cwd = mkdtempSync(join(workFolder, "state-"));
  const serverEnv = { ...env, MOONBRIDGE_STORE: `sqlite:${join(cwd, "moonbridge.db")}` };
  const server = spawn(node, [program, "--port", "0"], {
    cwd,
    env: serverEnv,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise((resolve) => server.once("exit", resolve));
  try {
    const [url, key] = await new Promise((resolve, reject) => {
      const onOutput = (bytes) => {
        output += bytes;
        const address = /listening on (http:\S+)/.exec(output)?.[1];
        const secret = /sk-moonbridge-[\w-]+/.exec(output)?.[0];
        if (address && secret) resolve([address, secret]);
      };
      server.stdout.on("data", onOutput);
      server.stderr.on("data", onOutput);
      exited.then((code) => reject(new Error(`moonbridge ended with ${code}:\n${output}`)));
      setTimeout(
        () => reject(new Error(`moonbridge was not ready after 30 seconds:\n${output}`)),
        30_000,
      ).unref();
    });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "kimi", messages: [{ role: "user", content: "sim:say=It answers." }] }),
    });
    const body = await response.json();
    const answer = body.choices?.[0]?.message?.content;
    if (!answer?.includes("It answers."))
      throw new Error(`the first chat failed: ${response.status} ${JSON.stringify(body)}`);
    checkCommands(node, program, { cwd, env: serverEnv, port: new URL(url).port });
    return answer;
  } finally {
    server.kill();
    const code = await exited;
    // On Windows a process is killed without being asked.
    if (code !== 0 && !isWindows) fail(`moonbridge ended with ${code}:\n${output}`);
  }
}

/** The commands of a person's first hour, beside the running server. Throws if one fails. */
function checkCommands(node, program, { port, ...options }) {
  const moonbridge = (...args) => run(node, [program, ...args], options);
  const key = moonbridge("keys", "add", "phone").trim();
  if (!/^sk-moonbridge-\S{32}$/.test(key)) fail("keys add printed no key");
  if (!moonbridge("keys", "list").includes("phone")) fail("keys list does not show the key");
  moonbridge("health", "--port", port);
  const findings = JSON.parse(moonbridge("doctor", "--offline", "--json"));
  if (findings.length === 0) fail("doctor found nothing to check");
}

/** The environment variables with this `node` first in PATH, without those of Moonbridge and npm. */
function cleanEnvironment(node) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MOONBRIDGE_|npm_(package|lifecycle)_|PORT$|HOST$)/.test(name),
  );
  const env = Object.fromEntries(inherited);
  const path = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return { ...env, [path]: `${dirname(node)}${delimiter}${env[path]}` };
}

/** Runs a program and returns its standard output. Throws if it fails, or if npm warns that a package does not support this Node. */
function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 100_000_000,
    ...options,
  });
  if (error) throw error;
  if (status !== 0) fail(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
  if (stderr.includes("EBADENGINE")) fail(stderr);
  return stdout;
}

function fail(message) {
  throw new Error(message);
}
