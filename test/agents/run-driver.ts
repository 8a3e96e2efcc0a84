import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { node22 } from "./agent.js";

/** What a driver prints, one JSON object a line. */
export type DriverLine = { type: string; data: unknown };

const deadline = 60_000;

/** Runs a script with Node 22 and a JSON object as its input. Throws if it fails or takes longer than a minute. */
export async function runDriver(script: string, input: object): Promise<DriverLine[]> {
  const signal = AbortSignal.timeout(deadline);
  const child = spawn(node22, ["--no-deprecation", script], {
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
    signal,
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  child.stdin.end(JSON.stringify(input));
  const [exitCode, output, errors] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  if (exitCode !== 0 || errors !== "") throw new Error(`${script} ended with ${exitCode}: ${errors}`);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line): DriverLine => JSON.parse(line));
}
