import type { Logger } from "pino";
import { type House, openHouse } from "../app/create-app.js";
import { addressError, fromHere, isLoopback, needsKey } from "../config/listen-address.js";
import { type CommandLine, loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import type { KeyStore } from "../core/store.js";
import { createLog } from "../observability/log.js";
import { Recorder } from "../observability/recording/recorder.js";
import { createKey } from "../server/auth/api-keys.js";
import { spareMemory } from "../server/idle-memory.js";
import { type RunningServer, startServer } from "../server/server.js";

type Recording = { record?: string; recordTexts?: boolean };

/** `moonbridge serve`: everything from the configuration to the line that says it is ready. */
export async function serve(commandLine: CommandLine & Recording): Promise<void> {
  const config = await loadConfig(commandLine, process.env);
  const log = createLog(config.log.level);
  const recorder = await openRecorder(commandLine, log);
  const house = await openHouse(config, log, { recorder });
  let server: RunningServer | undefined;
  try {
    const made = await firstKey(config, house.store);
    server = await startServer({ ...house, log, config });
    // Kept only now: a start that fails must not use up a key that nobody has seen.
    const isKept = made !== undefined && (await house.store.addKey(made.stored));
    stopOnSignals(server, house, () => log.flush());
    // The catalogue and, where it is due, the login are renewed before the first person waits for them.
    house.chat.models({}, new AbortController().signal).catch(() => {});
    house.cleanup.sweep();
    spareMemory(server.restedFor);

    for (const warning of config.warnings) say(`note: ${warning}`);
    if (recorder) tellOfRecording(commandLine);
    greet(
      server.url,
      house.upstreams.every((upstream) => upstream.simulated),
      isKept ? made.key : undefined,
    );
  } catch (error) {
    await server?.stop();
    await house.close();
    throw addressError(error, config.server);
  }
}

function openRecorder({ record, recordTexts = false }: Recording, log: Logger) {
  if (record !== undefined) {
    const warn = (message: string, error?: unknown) => log.warn({ error }, message);
    return Recorder.open(record, { texts: recordTexts, warn });
  }
  if (recordTexts) throw new ConfigError("--record-texts goes with --record and a folder.");
  return undefined;
}

function tellOfRecording({ record, recordTexts }: Recording): void {
  const replaced = "Tokens are removed; ids, names of people and files, and signed addresses are replaced; ";
  say(
    `RECORDING what is said to Kimi and what it answers in ${record}. ${replaced}` +
      (recordTexts
        ? "prompts and answers are KEPT, as --record-texts says."
        : "prompts, answers and all other texts are blotted out.") +
      "\nDo not share the folder without a look at what is in it.",
  );
}

/** The very first start makes a key, where nothing else opens the server. */
async function firstKey(config: Config, store: KeyStore) {
  if (config.oauth || config.keys.length > 0 || (await store.keys()).length > 0) return undefined;
  if (!isLoopback(config.server.host)) {
    throw new ConfigError(needsKey);
  }
  return createKey("first", { scopes: ["chat", "admin"] });
}

function greet(url: string, simulated: boolean, newKey: string | undefined): void {
  const key = newKey ?? "$MOONBRIDGE_KEY";
  const reachable = fromHere(url);
  if (simulated) {
    say(
      "No Kimi account is connected: the built-in SIMULATOR answers. “moonbridge login” (npm start -- login) connects one.",
    );
  }
  if (newKey) say(`API key (shown once, only its hash is kept): ${newKey}`);
  else say("API key: the one in your config, or the one that was shown at the first start.");
  say(
    `Try it:\n  curl -N ${reachable}/v1/chat/completions -H 'Authorization: Bearer ${key}' \\\n` +
      `    -H 'Content-Type: application/json' \\\n` +
      `    -d '{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好！"}]}'`,
  );
  say(`listening on ${url}`);
}

/** The first signal lets streams finish, the second does not. */
function stopOnSignals(server: RunningServer, house: House, flush: () => void): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    say("stopping: open streams may finish; press Ctrl+C again to stop at once");
    server
      .stop()
      .then(() => house.close())
      .then(
        () => {
          flush();
          process.exit(0);
        },
        () => process.exit(1),
      );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
