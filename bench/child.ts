import { type ChildProcess, fork, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { CallResult } from "./ipc.js";
import { processTree } from "./proc.js";

export type ChildOptions = {
  /** Flags of Node, which come before the path of the module. */
  nodeArguments?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** The file to which standard output and standard error are appended. */
  log: string;
};

/** A child process of the benchmark. It is killed when this process exits. */
export class Child {
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly #pendingCalls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #lastCallId = 0;
  #exited = false;

  private constructor(child: ChildProcess, log: string) {
    this.#process = child;
    this.#log = log;
    runningChildren.add(this);
    child.on("message", ({ id, result, error }: CallResult) => {
      const pending = this.#pendingCalls.get(id);
      this.#pendingCalls.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(error));
    });
    child.once("exit", () => {
      this.#exited = true;
      runningChildren.delete(this);
      for (const { reject } of this.#pendingCalls.values())
        reject(new Error(`it has ended: ${this.outputTail()}`));
    });
    // The command could not be started; there is no "exit" event then.
    child.once("error", () => {
      this.#exited = true;
    });
  }

  /** Starts a module of this project, which can handle calls (`ipc.ts`). */
  static fork(path: string, args: readonly string[], options: ChildOptions): Child {
    const output = openSync(options.log, "a");
    const child = fork(path, [...args], {
      execArgv: [...(options.nodeArguments ?? [])],
      serialization: "advanced",
      env: { ...process.env, ...options.env },
      stdio: ["ignore", output, output, "ipc"],
      ...(options.cwd ? { cwd: options.cwd } : {}),
    });
    closeSync(output);
    return new Child(child, options.log);
  }

  /** Starts another program. It handles no calls. */
  static spawn(command: string, args: readonly string[], options: ChildOptions): Child {
    const output = openSync(options.log, "a");
    const child = spawn(command, [...args], { stdio: ["ignore", output, output], cwd: options.cwd });
    closeSync(output);
    return new Child(child, options.log);
  }

  /** The ids of the process and all its descendants. */
  get pids(): number[] {
    return this.#process.pid === undefined ? [] : processTree(this.#process.pid);
  }

  /** Whether the process has ended or could not be started. */
  get exited(): boolean {
    return this.#exited;
  }

  /** The last 4,000 characters of its log. */
  outputTail(): string {
    return readFileSync(this.#log, "utf8").slice(-4_000);
  }

  /** Calls the handler of this name; `T` is the type that it returns. Rejects if it throws, or if the process ends. */
  call<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#lastCallId;
    return new Promise<T>((resolve, reject) => {
      if (this.#exited) throw new Error(`it has ended: ${this.outputTail()}`);
      this.#pendingCalls.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#process.send({ id, name, argument });
    });
  }

  /** Resolves when the process has ended; kills it if it does not end within 5 s. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#exited) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    const killTimer = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
    this.#process.kill(signal);
    await ended;
    clearTimeout(killTimer);
  }

  /** Kills the process without waiting for its end. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

const runningChildren = new Set<Child>();

process.on("exit", () => {
  for (const child of runningChildren) child.kill();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
