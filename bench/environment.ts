import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";

/** The processes and folders that every measurement needs: fake upstream, load client, and a temporary folder. */
export class BenchEnvironment {
  readonly fakeUpstream: Child;
  readonly loadClient: Child;
  /** A temporary folder, deleted by `close`. */
  readonly workDirectory: string;
  /** The port of the fake upstream on 127.0.0.1. */
  readonly fakeUpstreamPort: number;
  /** The folder for CPU profiles of gateways; undefined if none are to be written. */
  readonly profileFolder: string | undefined;

  private constructor(
    workDirectory: string,
    {
      fakeUpstream,
      loadClient,
      fakeUpstreamPort,
    }: { fakeUpstream: Child; loadClient: Child; fakeUpstreamPort: number },
    profileFolder: string | undefined,
  ) {
    this.profileFolder = profileFolder;
    this.workDirectory = workDirectory;
    this.fakeUpstream = fakeUpstream;
    this.loadClient = loadClient;
    this.fakeUpstreamPort = fakeUpstreamPort;
  }

  /** Starts the processes. With `profile`, gateways write CPU profiles. */
  static async open({ profile }: { profile: boolean }): Promise<BenchEnvironment> {
    const workDirectory = mkdtempSync(join(tmpdir(), "moonbridge-bench-"));
    const fakeUpstream = Child.fork(modulePath("./fake/main.js"), [], {
      log: join(workDirectory, "fake.log"),
    });
    const loadClient = Child.fork(modulePath("./load/main.js"), [], { log: join(workDirectory, "load.log") });
    const fakeUpstreamPort = await fakeUpstream.call<number>("port");
    const profileFolder = profile ? resolve("bench/results/profiles") : undefined;
    if (profileFolder) mkdirSync(profileFolder, { recursive: true });
    return new BenchEnvironment(workDirectory, { fakeUpstream, loadClient, fakeUpstreamPort }, profileFolder);
  }

  /** Creates a new folder for one process and returns its path. */
  createWorkDirectory(name: string): string {
    return mkdtempSync(join(this.workDirectory, `${name.replace(/[^\w-]+/g, "-")}-`));
  }

  /** Stops the processes and deletes the temporary folder. */
  async close(): Promise<void> {
    await Promise.all([this.fakeUpstream.stop(), this.loadClient.stop()]);
    rmSync(this.workDirectory, { recursive: true, force: true });
  }
}

/** The file path of a module relative to this one. */
export function modulePath(relativePath: string): string {
  return fileURLToPath(new URL(relativePath, import.meta.url));
}
