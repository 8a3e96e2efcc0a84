import { type Finding, toEnglish } from "../admin/diagnostics/finding.js";
import { diagnose } from "../app/admin-tasks.js";
import type { CommandLineOptions } from "../config/load.js";
import { commandMessages } from "../i18n/command-messages.js";
import { doctorMessages } from "../i18n/doctor-messages.js";
import { escapeControls } from "../lib/terminal-text.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { padColumns, printLine, type Span, span, translate } from "./print.js";
import { Progress } from "./progress.js";

export type DoctorOptions = CommandLineOptions & { offline?: boolean; json?: boolean };

/**
 * `moonbridge doctor`: prints the findings of all checks, as lines or as one JSON array, which is in English. Exit code 1
 * if a check fails, 130 after SIGINT or SIGTERM.
 */
export async function doctor({
  offline = false,
  json = false,
  ...commandLine
}: DoctorOptions): Promise<void> {
  const signal = abortOnSignals(new Error("stopped"));
  const findings: Finding[] = [];
  const progress = new Progress(commandMessages.checking);
  progress.start();
  for await (const finding of diagnose({ commandLine, offline, signal })) {
    findings.push(finding);
    progress.stop();
    if (!json) printFinding(finding);
    progress.start();
  }
  progress.stop();
  if (json) process.stdout.write(`${escapeControls(JSON.stringify(findings.map(toEnglish), null, 2))}\n`);
  const outcome = findings.some(({ state }) => state === "fail") ? 1 : 0;
  const code = signal.aborted ? 130 : outcome;
  // A DNS lookup cannot be cancelled and would keep the process alive.
  process.stdout.write("", () => process.exit(code));
}

/** A state is shown by a sign, a word and a colour, since not everybody sees each of them. */
const signs: Record<Finding["state"], { sign: string; style: Span["style"] }> = {
  ok: { sign: "✓", style: "good" },
  warn: { sign: "!", style: "attention" },
  fail: { sign: "✗", style: "bad" },
};

const stateWidth = "✓ warn  ".length;

function printFinding({ what, state, detail, remedy }: Finding): void {
  const { sign, style } = signs[state];
  const word = `${sign} ${translate(doctorMessages.states[state])}`;
  printLine(
    span(style, padColumns(word, stateWidth)),
    span("title", what),
    translate({ en: ": ", zh: "：" }),
    detail,
  );
  if (remedy !== undefined) printLine(`${" ".repeat(stateWidth)}→ `, remedy);
}
