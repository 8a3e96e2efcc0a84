// Packs the package as npm publishes it, installs it globally into a temporary folder, and has a first chat.
//
//   npm run check:package                    with the Node that runs this
//   npm run check:package -- 20 22 24 26     with each of these, fetched from the npm registry
//
// Part of every release; not of `npm test`, since it needs the registry.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const windows = process.platform === "win32";
const npm = process.env.npm_execpath ?? fail("run this as: npm run check:package");
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
// With a space in it, as home folders on Windows have.
const work = mkdtempSync(join(tmpdir(), "moonbridge package "));

try {
  const archive = pack();
  const versions = process.argv.slice(2);
  for (const version of versions.length > 0 ? versions : [undefined]) {
    const node = version === undefined ? process.execPath : fetchNode(version);
    await check(node, archive);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 10 });
}

/** Packs, and checks that nothing is in it but the program, its documents and its packages. */
function pack() {
  const [packed] = JSON.parse(
    run(process.execPath, [npm, "pack", "--json", "--pack-destination", work], { cwd: root }),
  );
  const files = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("node_modules/"));
  const expected =
    /^(dist\/(src|simulator)\/.*\.js|docs\/.*|(README(\.zh-CN)?|CHANGELOG)\.md|LICENSE|package\.json)$/;
  const stray = files.filter((path) => !expected.test(path));
  if (stray.length > 0) fail(`packed, but not part of the product: ${stray.join(", ")}`);
  const megabytes = (packed.size / 1e6).toFixed(1);
  const packages = `${packed.bundled.length} packages bundled`;
  console.log(`${packed.filename}: ${megabytes} MB, ${files.length} files of our own, ${packages}`);
  return join(work, packed.filename);
}

/** The path of this version's `node`, from the package that the npm registry has for this platform. */
function fetchNode(version) {
  const folder = join(work, `node-${version}`);
  const name = `node-${windows ? "win" : process.platform}-${process.arch}`;
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
  return join(folder, "node_modules", name, "bin", windows ? "node.exe" : "node");
}

async function check(node, archive) {
  const version = run(node, ["--version"]).trim();
  const prefix = join(work, `prefix-${version}`);
  mkdirSync(prefix);
  const env = environment(node);
  run(node, [npm, "install", "--global", "--prefix", prefix, archive], { env });
  const modules = windows ? join(prefix, "node_modules") : join(prefix, "lib", "node_modules");
  const count = compareWithLock(join(modules, own.name));

  const command = windows ? join(prefix, "moonbridge.cmd") : join(prefix, "bin", "moonbridge");
  const printed = run(`"${command}"`, ["--version"], { env, shell: true }).trim();
  if (printed !== own.version) fail(`moonbridge --version prints ${printed}, not ${own.version}`);

  const answer = await firstChat(node, join(modules, own.name, own.bin.moonbridge), env);
  console.log(
    `Node ${version}: ${count} packages as in package-lock.json, moonbridge ${printed}, “${answer}”`,
  );
}

/** Compares each package below the installed one with the lockfile; returns how many there are. */
function compareWithLock(installed) {
  const locked = Object.entries(lock.packages).filter(([path, entry]) => path !== "" && !entry.dev);
  const wanted = new Map();
  for (const [path, { version }] of locked) {
    const name = path.replace(/^.*node_modules\//, "");
    wanted.set(name, [...(wanted.get(name) ?? []), version]);
  }
  const found = packagesBelow(join(installed, "node_modules"));
  for (const { name, version } of found) {
    if (!wanted.get(name)?.includes(version))
      fail(`${name} ${version} is installed; package-lock.json: ${wanted.get(name)}`);
  }
  const missing = locked.filter(
    ([path, { version, optional }]) =>
      !optional &&
      !found.some((each) => path.endsWith(`node_modules/${each.name}`) && each.version === version),
  );
  if (missing.length > 0) fail(`not installed: ${missing.map(([path]) => path).join(", ")}`);
  return found.length;
}

function packagesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith(".")) return [];
    const path = join(folder, name);
    if (name.startsWith("@")) return packagesBelow(path);
    const { name: full, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    return [{ name: full, version }, ...packagesBelow(join(path, "node_modules"))];
  });
}

/** Starts the installed program without a config, and sends what it prints to try; resolves to the answer. */
async function firstChat(node, program, env) {
  const cwd = mkdtempSync(join(work, "state-"));
  const server = spawn(node, [program, "--port", "0"], {
    cwd,
    env: { ...env, MOONBRIDGE_STORE: `sqlite:${join(cwd, "moonbridge.db")}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise((resolve) => server.once("exit", resolve));
  try {
    const [url, key] = await new Promise((resolve, reject) => {
      const read = (bytes) => {
        output += bytes;
        const address = /listening on (http:\S+)/.exec(output)?.[1];
        const secret = /sk-moonbridge-\w+/.exec(output)?.[0];
        if (address && secret) resolve([address, secret]);
      };
      server.stdout.on("data", read);
      server.stderr.on("data", read);
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
    return answer;
  } finally {
    server.kill();
    await exited;
  }
}

/** The environment with this `node` first, and nothing of a Moonbridge or an npm that runs here. */
function environment(node) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(MOONBRIDGE_|npm_(package|lifecycle)_|PORT$|HOST$)/.test(name),
  );
  const env = Object.fromEntries(kept);
  const path = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return { ...env, [path]: `${dirname(node)}${delimiter}${env[path]}` };
}

/** Runs a program to its end and returns what it printed. An engine that a package does not support is a failure. */
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
