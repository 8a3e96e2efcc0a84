import { setMaxListeners } from "node:events";
import type { Finding } from "../admin/diagnostics/finding.js";
import { diagnose } from "../app/admin-tasks.js";
import type { CommandLineOptions } from "../config/load.js";
import { escapeControls } from "../lib/terminal-text.js";
import { printLine } from "./print.js";

export type DoctorOptions = CommandLineOptions & { offline?: boolean; json?: boolean };

/**
 * `moonbridge doctor`: prints the findings of all checks, as lines or as one JSON array. Exit code 1 if a check fails,
 * 130 after SIGINT or SIGTERM.
 */
export async function doctor({
  offline = false,
  json = false,
  ...commandLine
}: DoctorOptions): Promise<void> {
  const signal = abortOnSignals();
  const findings: Finding[] = [];
  for await (const finding of diagnose({ commandLine, offline, signal })) {
    findings.push(finding);
    if (!json) printFinding(finding);
  }
  if (json) process.stdout.write(`${escapeControls(JSON.stringify(findings, null, 2))}\n`);
  const outcome = findings.some(({ state }) => state === "fail") ? 1 : 0;
  const code = signal.aborted ? 130 : outcome;
  // A DNS lookup cannot be cancelled and would keep the process alive.
  process.stdout.write("", () => process.exit(code));
}

function printFinding({ what, state, detail, remedy }: Finding): void {
  printLine(`${state.padEnd(5)} ${what}: ${detail}`);
  if (remedy !== undefined) printLine(`      → ${remedy}`);
}

/** Aborts at the first signal, so that checks can clean up; a second one exits at once. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  // Every check adds a listener.
  setMaxListeners(0, controller.signal);
  const abort = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error("stopped"));
  };
  process.on("SIGINT", abort);
  process.on("SIGTERM", abort);
  return controller.signal;
}
