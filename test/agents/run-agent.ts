import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as startTimer } from "node:timers";
import { setTimeout } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { apiKey, type Gateway } from "../gateway.js";
import { type Agent, node22, type Place } from "./agent.js";

/** What a run of an agent has printed; `exitCode` is null if it was ended at its deadline. */
export type Run = { exitCode: number | null; output: string; seconds: number };

const deadline = 200_000;

/** Sets an agent up in a fresh home and a fresh working folder; what it leaves running ends with the test. */
export function placeFor(agent: Agent, gateway: Gateway): Place {
  const home = mkdtempSync(join(tmpdir(), `agent-${agent.name}-`));
  const work = join(home, "work");
  mkdirSync(work);
  const place = { home, work, url: gateway.url, key: apiKey };
  onTestFinished(() => endProcesses(home));
  agent.configure(place);
  return place;
}

type RunOptions = {
  isContinued?: boolean;
  /** Whether the prompt is answered; an agent in a terminal does not end by itself. */
  isAnswered?: () => boolean;
};

/** Runs an agent with one prompt until it ends. */
export async function runAgent(
  agent: Agent,
  place: Place,
  prompt: string,
  { isContinued = false, isAnswered = () => true }: RunOptions = {},
): Promise<Run> {
  const { args, environment, typedWhen, takesInput } = agent.command(place, prompt, { isContinued });
  const startedAt = performance.now();
  const [program = "", ...rest] = typedWhen ? inTerminal(args) : args;
  const child = spawn(program, rest, {
    cwd: place.work,
    env: {
      PATH: `${dirname(node22)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: place.home,
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      ...environment,
    },
    stdio: [typedWhen || takesInput ? "pipe" : "ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (piece: Buffer) => {
    output += piece;
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const timer = startTimer(() => endProcesses(place.home), deadline);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  if (takesInput) child.stdin?.end(prompt);
  if (typedWhen && child.stdin) {
    await waitFor(() => typedWhen.test(output));
    child.stdin.write(`\x1b[200~${prompt}\x1b[201~`);
    await setTimeout(1_000);
    child.stdin.write("\r");
    await waitFor(isAnswered);
    await setTimeout(2_000);
    child.stdin.write("\x03");
    await setTimeout(500);
    child.stdin.end("\x03");
  }
  const exitCode = await exited;
  clearTimeout(timer);
  return { exitCode, output, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

/** The command in a terminal of its own; `script` belongs to util-linux. */
function inTerminal(args: readonly string[]): string[] {
  const quoted = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(" ");
  return ["script", "-qefc", `stty rows 40 cols 120; ${quoted}`, "/dev/null"];
}

async function waitFor(condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition() && performance.now() < end) await setTimeout(100);
}

/** Ends the processes with this home, such as the background services that some agents start. */
function endProcesses(home: string): void {
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const variables = readFileSync(`/proc/${id}/environ`, "utf8").split("\0");
      if (variables.includes(`HOME=${home}`)) process.kill(Number(id), "SIGKILL");
    } catch {
      // It has ended, or belongs to another user.
    }
  }
}
