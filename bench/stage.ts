import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";

/** What every measurement needs: the fake upstream and the load client, each a process, and a folder for the rest. */
export class Stage {
  readonly fake: Child;
  readonly load: Child;
  readonly folder: string;
  /** Where the fake upstream listens. */
  readonly fakePort: number;
  /** Where gateways leave a profile of their processor time, if they are to. */
  readonly profiles: string | undefined;

  private constructor(
    folder: string,
    { fake, load, fakePort }: { fake: Child; load: Child; fakePort: number },
    profiles: string | undefined,
  ) {
    this.profiles = profiles;
    this.folder = folder;
    this.fake = fake;
    this.load = load;
    this.fakePort = fakePort;
  }

  static async open({ profile }: { profile: boolean }): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), "moonbridge-bench-"));
    const fake = Child.module(modulePath("./fake/main.js"), [], { log: join(folder, "fake.log") });
    const load = Child.module(modulePath("./load/main.js"), [], { log: join(folder, "load.log") });
    const fakePort = await fake.call<number>("port");
    const profiles = profile ? resolve("bench/results/profiles") : undefined;
    if (profiles) mkdirSync(profiles, { recursive: true });
    return new Stage(folder, { fake, load, fakePort }, profiles);
  }

  /** A folder of its own for one of the processes. */
  room(name: string): string {
    return mkdtempSync(join(this.folder, `${name.replace(/[^\w-]+/g, "-")}-`));
  }

  async close(): Promise<void> {
    await Promise.all([this.fake.stop(), this.load.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The path of a module beside this one. */
export function modulePath(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
