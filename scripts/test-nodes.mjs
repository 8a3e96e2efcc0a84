// Runs the whole test suite on other versions of Node, fetched from the npm registry.
//
//   npm run test:nodes                 on 20, 22 and 24
//   npm run test:nodes -- 24           on these
//   npm run test:nodes -- 24 test/cli  only tests whose path contains this
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const args = process.argv.slice(2);
const isVersion = (arg) => /^\d+$/.test(arg);
const versions = args.some(isVersion) ? args.filter(isVersion) : ["20", "22", "24"];
const filters = args.filter((arg) => !isVersion(arg));
const folder = mkdtempSync(join(tmpdir(), "moonbridge-nodes-"));
// Tests run it as another user, too.
chmodSync(folder, 0o755);

try {
  for (const version of versions) {
    const node = fetchNode(version);
    console.log(`\n== Node ${run(node, ["--version"], { stdio: "pipe" }).trim()}`);
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
    run(node, ["node_modules/vitest/vitest.mjs", "run", ...filters], { env });
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Installs this version of Node, as a package for this platform, and returns the path of `node`. */
function fetchNode(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(folder, version);
  const install = ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", prefix];
  run("npm", [...install, `${name}@${version}`], { stdio: "ignore" });
  return join(prefix, "node_modules", name, "bin", "node");
}

/** Returns the program's standard output, if it is piped. Throws if the program fails. */
function run(program, programArgs, options) {
  const { status, stdout, error } = spawnSync(program, programArgs, {
    encoding: "utf8",
    stdio: "inherit",
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${programArgs.join(" ")} ended with ${status}`);
  return stdout ?? "";
}
