import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { findPlatformFolders } from "../../src/config/platform-folders.js";
import {
  createTemporaryFolder,
  dataFolder,
  homeVariables,
  programPath,
  runMoonbridge,
  writeConfig,
} from "./process.js";

/** Runs `moonbridge keys add`, which opens the database, and returns what it printed. */
async function addKey(folder: string, environment: Record<string, string>, ...args: string[]) {
  const program = runMoonbridge(["keys", "add", "phone", ...args], folder, environment);
  return { code: await program.exit, log: program.log() };
}

describe("the database without a setting", () => {
  test("is in the user's data folder, whatever the current folder, so that a login is found from another", async () => {
    const simulator = await startSimulator();
    const home = createTemporaryFolder();
    const [first, second] = [createTemporaryFolder(), createTemporaryFolder()];
    const login = ["login", "--base-url", simulator.url, "--auth-url", simulator.url];
    const program = runMoonbridge(login, first, homeVariables(home), JSON.stringify(simulator.issue()));
    expect(await program.exit).toBe(0);
    const database = join(dataFolder(home), "moonbridge.db");
    expect(program.output()).toContain(`Stored as the account “kimi” in ${database}.`);

    const server = runMoonbridge(["--port", "0"], second, homeVariables(home));
    await server.ready;
    expect(server.output()).not.toContain("SIMULATOR");
    expect(server.output()).toContain(database);
    expect(existsSync(join(second, "moonbridge.db"))).toBe(false);
    await simulator.close();
  });

  test("is beside a config file that is in the current folder or named", async () => {
    const [folder, elsewhere] = [createTemporaryFolder(), createTemporaryFolder()];
    const path = writeConfig(folder, {});
    expect(await addKey(folder, {})).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, "moonbridge.db"))).toBe(true);
    // The name is taken, so all of these open the same database.
    const taken = { code: 1, log: expect.stringContaining("“phone” already") };
    expect(await addKey(elsewhere, {}, "--config", path)).toMatchObject(taken);
    expect(await addKey(elsewhere, { MOONBRIDGE_CONFIG: path })).toMatchObject(taken);
  });

  test("is in the user's data folder for a config file in the user's config folder", async () => {
    const [folder, home] = [createTemporaryFolder(), createTemporaryFolder()];
    const machine = { platform: process.platform, environment: homeVariables(home), home };
    const configFolder = findPlatformFolders(machine)?.config ?? "";
    mkdirSync(configFolder, { recursive: true });
    const path = writeConfig(configFolder, { keys: [{ name: "phone", key: "sk-CANARY-phone" }] });
    const listed = runMoonbridge(["keys", "list"], folder, homeVariables(home));
    expect(await listed.exit).toBe(0);
    expect(listed.output()).toMatch(/^phone /m);
    expect(existsSync(join(dataFolder(home), "moonbridge.db"))).toBe(true);

    const doctor = runMoonbridge(["doctor", "--offline", "--json"], folder, homeVariables(home));
    await doctor.exit;
    expect(doctor.output()).toContain(path);
  });

  test("is named by a warning where an earlier version left one in the current folder", async () => {
    const folder = createTemporaryFolder();
    writeFileSync(join(folder, "moonbridge.db"), "");
    const { code, log } = await addKey(folder, {});
    expect(code).toBe(0);
    expect(log).toContain(`${join(folder, "moonbridge.db")} is not used`);
  });

  test("is named by a warning where a new config file leads to another one", async () => {
    const folder = createTemporaryFolder();
    await addKey(folder, {});
    writeConfig(folder, {});
    const { code, log } = await addKey(folder, {});
    expect(code).toBe(0);
    expect(log).toContain(`${join(dataFolder(folder), "moonbridge.db")} is not used`);
    expect((await addKey(folder, {})).log).not.toContain("is not used");
  });
});

test("serve and doctor name the config file, or where one would be, the database and the folder of files", async () => {
  const folder = createTemporaryFolder();
  const server = runMoonbridge(["--port", "0"], folder);
  await server.ready;
  const database = join(dataFolder(folder), "moonbridge.db");
  expect(server.output()).toContain(database);
  expect(server.output()).toContain(join(dataFolder(folder), "moonbridge-files"));
  const doctor = runMoonbridge(["doctor", "--offline"], folder);
  await doctor.exit;
  expect(doctor.output()).toContain(`there is no ${join(folder, "config.json")} or `);
  expect(doctor.output()).toContain(`store: ${database}`);
});

describe("a user without a home folder", () => {
  // Only root may take on another user id.
  const unknownUser = { uid: 54_321, gid: 54_321 };
  const run = (environment: Record<string, string>) =>
    spawnSync(process.execPath, [programPath, "keys", "list"], {
      cwd: "/",
      env: environment,
      encoding: "utf8",
      ...unknownUser,
    });
  const isRoot = process.getuid?.() === 0;

  test.runIf(isRoot)("is told what to set, and asked for nothing else once that is set", () => {
    expect(run({})).toMatchObject({
      status: 1,
      stdout: "",
      stderr:
        "moonbridge: This user has no home folder to keep the database in. Set MOONBRIDGE_STORE to a file, such as " +
        "sqlite:/data/moonbridge.db, or HOME to a folder.\n",
    });
    const { stderr } = run({ MOONBRIDGE_STORE: "sqlite:/folder-of-root.db" });
    expect(stderr).toMatch(/^moonbridge: The database \/folder-of-root\.db cannot be opened/);
  });

  test.runIf(isRoot)("is told so where the home folder cannot be written", () => {
    const { status, stderr } = run({ HOME: "/" });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^moonbridge: The database \/\.local\/share\/moonbridge\/moonbridge\.db cannot .*MOONBRIDGE_STORE.*\.\n$/,
    );
  });
});
