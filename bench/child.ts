import { type ChildProcess, fork, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { familyOf } from "./proc.js";

export type ChildOptions = {
  /** Arguments of Node itself. */
  nodeArguments?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Takes what it writes to both outputs. */
  log: string;
};

/** A process that takes part in the benchmark. It ends with this one, whatever happens. */
export class Child {
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #calls = 0;
  #exited = false;

  private constructor(child: ChildProcess, log: string) {
    this.#process = child;
    this.#log = log;
    children.add(this);
    child.on("message", (answer: { id: number; result?: unknown; failure?: string }) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.failure === undefined) waiting?.resolve(answer.result);
      else waiting?.reject(new Error(answer.failure));
    });
    child.once("exit", () => {
      this.#exited = true;
      children.delete(this);
      for (const { reject } of this.#waiting.values()) reject(new Error(`it has ended: ${this.output()}`));
    });
    // A command that is not there shows by its exit.
    child.once("error", () => {
      this.#exited = true;
    });
  }

  /** A module of this project; it can be called (`calls.ts`). */
  static module(path: string, args: readonly string[], options: ChildOptions): Child {
    const output = openSync(options.log, "a");
    const child = fork(path, [...args], {
      execArgv: [...(options.nodeArguments ?? [])],
      serialization: "advanced",
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", output, output, "ipc"],
      ...(options.cwd ? { cwd: options.cwd } : {}),
    });
    closeSync(output);
    return new Child(child, options.log);
  }

  /** Any other program. */
  static program(command: string, args: readonly string[], options: ChildOptions): Child {
    const output = openSync(options.log, "a");
    const child = spawn(command, [...args], { stdio: ["ignore", output, output], cwd: options.cwd });
    closeSync(output);
    return new Child(child, options.log);
  }

  /** Itself and what it has started. */
  get pids(): number[] {
    return this.#process.pid === undefined ? [] : familyOf(this.#process.pid);
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** The end of what it has written so far. */
  output(): string {
    return readFileSync(this.#log, "utf8").slice(-4_000);
  }

  /** Calls one of its handlers; its result is what the handler returned, so the caller says what that is. */
  call<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#calls;
    return new Promise<T>((resolve, reject) => {
      if (this.#exited) throw new Error(`it has ended: ${this.output()}`);
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#process.send({ id, name, argument });
    });
  }

  /** Resolves when it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#exited) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
    this.#process.kill(signal);
    await gone;
    clearTimeout(late);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

const children = new Set<Child>();

process.on("exit", () => {
  for (const child of children) child.kill();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
