import type { Logger } from "pino";
import { ConfigReloader } from "../app/config-reloader.js";
import { type App, createApp } from "../app/create-app.js";
import { loadAppConfig } from "../app/load-config.js";
import { isLoopback, toListenError } from "../config/listen-address.js";
import type { CommandLineOptions } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { createApiKey } from "../core/api-key.js";
import type { KeyStore } from "../core/store.js";
import { commandMessages } from "../i18n/command-messages.js";
import { configMessages } from "../i18n/config-messages.js";
import type { Message } from "../i18n/text.js";
import { createLog } from "../observability/log.js";
import { LogTail } from "../observability/log-tail.js";
import { Recorder } from "../observability/recording/recorder.js";
import { describeProxies } from "../proxy/describe-proxies.js";
import type { RunningServer } from "../server/server.js";
import { consoleAddress, printGreeting } from "./greeting.js";
import { openBrowser } from "./open-browser.js";
import { printLine, span } from "./print.js";

type RecordingOptions = { record?: string; recordTexts?: boolean };
type ServeOptions = CommandLineOptions & RecordingOptions & { open?: boolean };

/** `moonbridge serve`: creates the app, starts listening and prints the address, and the key at the first start. */
export async function serve(commandLine: ServeOptions): Promise<void> {
  const config = await loadAppConfig(commandLine, process.env);
  const logTail = new LogTail();
  const log = createLog(config.log.level, undefined, logTail);
  const recorder = await openRecorder(commandLine, log);
  const app = await createApp(config, log, { recorder, logTail });
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

    for (const warning of config.warnings) printNote(warning);
    if (config.server.keylessLoopback) printNote(configMessages.keylessLoopback);
    const proxies = describeProxies(config.proxies, config.upstreams);
    if (proxies !== undefined) printLine(commandMessages.proxy(proxies));
    if (recorder) printRecordingNotice(commandLine);
    const answering = app.upstreams.current.map(({ upstream }) => upstream);
    const { open = false } = commandLine;
    // Not into the log of a service, except at the first start, which shows the key, too.
    const hasCode = isStored || open || process.stdout.isTTY;
    const loginCode = hasCode ? await app.createLoginCode() : undefined;
    printGreeting({
      server,
      config,
      upstreams: answering.every(({ simulated }) => simulated) ? [] : answering.map(({ name }) => name),
      newKey: isStored ? newKey.key : undefined,
      loginCode,
    });
    if (open) openBrowser(consoleAddress(server, loginCode));
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
  if (recordTexts) throw new ConfigError(commandMessages.recordTextsAlone);
  return undefined;
}

function printNote(warning: Message): void {
  printLine(span("attention", commandMessages.note(warning)));
}

function printRecordingNotice({ record = "", recordTexts = false }: RecordingOptions): void {
  printLine(span("attention", commandMessages.recording(record, recordTexts)));
  printLine(commandMessages.readBeforeSharing);
}

/**
 * Creates an API key, without storing it, if neither a key nor an OIDC issuer is configured. Throws ConfigError if the
 * server does not listen on loopback.
 */
async function createFirstKey(config: Config, store: KeyStore) {
  if (config.oauth || config.keys.length > 0 || (await store.listKeys()).length > 0) return undefined;
  if (!isLoopback(config.server.host)) {
    throw new ConfigError(configMessages.keyRequired);
  }
  return createApiKey("first", { scopes: ["chat", "admin"] });
}

type Running = { server: RunningServer; app: App; reloader: ConfigReloader; log: Logger };

/** SIGINT and SIGTERM: the first one stops gracefully, the second one exits at once. */
function stopOnSignals({ server, app, reloader, log }: Running): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    printLine(commandMessages.stopping);
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
