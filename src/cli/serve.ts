import type { Logger } from "pino";
import { ConfigReloader } from "../app/config-reloader.js";
import { type App, createApp } from "../app/create-app.js";
import { loadAppConfig } from "../app/load-config.js";
import {
  isLoopback,
  keylessLoopbackNotice,
  keyRequiredMessage,
  toListenError,
  toLocalUrl,
} from "../config/listen-address.js";
import type { CommandLineOptions } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { createApiKey } from "../core/api-key.js";
import type { KeyStore } from "../core/store.js";
import { createLog } from "../observability/log.js";
import { Recorder } from "../observability/recording/recorder.js";
import { describeProxies } from "../proxy/describe-proxies.js";
import type { RunningServer } from "../server/server.js";
import { printLine } from "./print.js";

type RecordingOptions = { record?: string; recordTexts?: boolean };

/** `moonbridge serve`: creates the app, starts listening and prints the address, and the key at the first start. */
export async function serve(commandLine: CommandLineOptions & RecordingOptions): Promise<void> {
  const config = await loadAppConfig(commandLine, process.env);
  const log = createLog(config.log.level);
  const recorder = await openRecorder(commandLine, log);
  const app = await createApp(config, log, { recorder });
  let server: RunningServer | undefined;
  try {
    const newKey = await createFirstKey(config, app.store);
    server = await app.listen();
    // Stored only after listening has succeeded: otherwise a failed start would leave a key that was never shown.
    const isStored = newKey !== undefined && (await app.store.addKey(newKey.stored));
    const reloader = new ConfigReloader({
      config,
      load: () => loadAppConfig(commandLine, process.env),
      replace: (replacement) => app.replaceConfig(replacement),
      log,
    });
    // As other servers do. A closed terminal sends it, too.
    process.on("SIGHUP", () => void reloader.reload());
    stopOnSignals({ server, app, reloader, log });
    // Warms up: loads the catalogue and refreshes tokens that are due before the first request needs them.
    app.chat.models({}, new AbortController().signal).catch(() => {});
    app.cleanup.sweep();

    for (const warning of config.warnings) printLine(`note: ${warning}`);
    if (config.server.keylessLoopback) printLine(`note: ${keylessLoopbackNotice}`);
    const proxies = describeProxies(config.proxies, config.upstreams);
    if (proxies !== undefined) printLine(`proxy: ${proxies}`);
    if (recorder) printRecordingNotice(commandLine);
    printFiles(config);
    printGreeting(
      server,
      app.upstreams.current.every(({ upstream }) => upstream.simulated),
      isStored ? newKey.key : undefined,
    );
  } catch (error) {
    await server?.stop();
    await app.close();
    throw toListenError(error, config.server);
  }
}

function openRecorder({ record, recordTexts = false }: RecordingOptions, log: Logger) {
  if (record !== undefined) {
    const warn = (message: string, error?: unknown) => log.warn({ error }, message);
    return Recorder.open(record, { keepTexts: recordTexts, warn });
  }
  if (recordTexts) throw new ConfigError("--record-texts goes with --record and a folder.");
  return undefined;
}

function printRecordingNotice({ record, recordTexts }: RecordingOptions): void {
  const replaced = "Tokens are removed; ids, names of people and files, and signed addresses are replaced; ";
  printLine(
    `RECORDING what is said to Kimi and what it answers in ${record}. ${replaced}` +
      (recordTexts
        ? "prompts and answers are KEPT, as --record-texts says."
        : "prompts, answers and all other texts are blotted out."),
  );
  printLine("Do not share the folder without a look at what is in it.");
}

/**
 * Creates an API key, without storing it, if neither a key nor an OIDC issuer is configured. Throws ConfigError if the
 * server does not listen on loopback.
 */
async function createFirstKey(config: Config, store: KeyStore) {
  if (config.oauth || config.keys.length > 0 || (await store.listKeys()).length > 0) return undefined;
  if (!isLoopback(config.server.host)) {
    throw new ConfigError(keyRequiredMessage);
  }
  return createApiKey("first", { scopes: ["chat", "admin"] });
}

function printFiles({ configFile, storePath, files }: Config): void {
  printLine(`config:   ${configFile.kind === "none" ? "none" : configFile.path}`);
  printLine(`database: ${storePath}`);
  printLine(`files:    ${files.folder}`);
}

function printGreeting(
  { url, furtherUrls }: RunningServer,
  simulated: boolean,
  newKey: string | undefined,
): void {
  const localUrl = toLocalUrl(url);
  if (simulated) {
    printLine(
      "No Kimi account is connected: the built-in SIMULATOR answers. “moonbridge login” (npm start -- login) connects one.",
    );
  }
  if (newKey) {
    printLine(`API key (shown once, only its hash is kept): ${newKey}`);
    printLine("Try it:");
  } else {
    printLine("API key: the one in your config, or the one that was shown at the first start.");
    printLine("Try it, with the key in the shell's variable MOONBRIDGE_KEY:");
  }
  // A shell puts a variable's value into double quotes only.
  const authorization = newKey
    ? `'Authorization: Bearer ${newKey}'`
    : '"Authorization: Bearer $MOONBRIDGE_KEY"';
  // The certificate is for the name that clients use, which need not be this one.
  const options = localUrl.startsWith("https:") ? "-kN" : "-N";
  printLine(`  curl ${options} ${localUrl}/v1/chat/completions -H ${authorization} \\`);
  printLine("    -H 'Content-Type: application/json' \\");
  printLine(`    -d '{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好！"}]}'`);
  if (furtherUrls.length > 0) printLine(`also listening on ${furtherUrls.join(", ")}`);
  printLine(`listening on ${url}`);
}

type Running = { server: RunningServer; app: App; reloader: ConfigReloader; log: Logger };

/** SIGINT and SIGTERM: the first one stops gracefully, the second one exits at once. */
function stopOnSignals({ server, app, reloader, log }: Running): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    printLine("stopping: open streams may finish; press Ctrl+C again to stop at once");
    reloader.stop();
    server
      .stop()
      .then(() => app.close())
      .then(
        () => {
          log.flush();
          process.exit(0);
        },
        () => process.exit(1),
      );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
