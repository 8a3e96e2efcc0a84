import { loadAppConfig } from "../app/load-config.js";
import { type PreparedProbe, type ProbeResult, withProbe } from "../app/probe-account.js";
import { busySeconds, capabilities } from "../core/capabilities.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { probeMessages as messages } from "../i18n/probe-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import { version } from "../lib/version.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { confirm } from "./confirm.js";
import { printError, printLine } from "./print.js";
import { Progress } from "./progress.js";

export type ProbeCommandOptions = {
  config?: string;
  account?: string;
  yes?: boolean;
  json?: boolean;
  /** Seconds between two messages. */
  pause?: number;
};

/**
 * `moonbridge probe`: measures what Kimi does for an account, with messages of that account, after a confirmation. Exit code 1
 * if it ends early, 130 after SIGINT or SIGTERM.
 */
export async function probe(options: ProbeCommandOptions): Promise<void> {
  const { config: file, account, yes = false, json = false, pause } = options;
  const config = await loadAppConfig({ config: file }, process.env);
  // The chats are still deleted.
  const signal = abortOnSignals(new GatewayError("cancelled", "The probe was stopped."));
  const pauseMs = pause === undefined ? limits.probePause : pause * 1_000;
  await withProbe(config, { account, pause: pauseMs, signal }, async (prepared) => {
    if (!yes && !(await confirmProbe(prepared))) return printLine(messages.nothingSent);
    try {
      const results = await collect(prepared, json);
      if (json) process.stdout.write(`${JSON.stringify({ moonbridge: version, results }, null, 2)}\n`);
      else printLine(messages.shareable(version));
      const ended = results.find(({ outcome }) => outcome === "skipped");
      if (ended && "code" in ended) {
        printError(messages.ended(ended.code));
        process.exitCode = 1;
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      printError(error.message);
      process.exitCode = 1;
    }
  });
  if (signal.aborted) process.exitCode = 130;
}

async function collect({ run }: PreparedProbe, json: boolean): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  const progress = new Progress(messages.probing);
  progress.start();
  try {
    for await (const result of run()) {
      results.push(result);
      progress.stop();
      if (!json) printLine(describe(result));
      progress.start();
    }
  } finally {
    progress.stop();
  }
  return results;
}

function describe(result: ProbeResult): LocalizedText {
  const { name } = result;
  switch (result.outcome) {
    case "unclear":
      return messages.unclear(name, result.code);
    case "skipped":
      return messages.skipped(name, result.code);
    case "measured": {
      const { value } = result;
      const assumed = name === busySeconds.name ? busySeconds.default : capabilities[name].default;
      return messages.measured(name, inWords(value), value === assumed ? undefined : inWords(assumed));
    }
  }
}

function inWords(value: boolean | number): LocalizedText {
  if (typeof value === "number") return messages.seconds(value);
  return value ? messages.yes : messages.no;
}

function confirmProbe({ account, messages: count }: PreparedProbe): Promise<boolean> {
  return confirm({
    lines: [messages.warning(account, count), messages.effect],
    question: messages.question,
    needsTerminal: messages.needsYes,
  });
}
