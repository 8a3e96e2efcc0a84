import type { FastifyBaseLogger } from "fastify";
import { changedSettings, settingsForRestart } from "../config/changed-settings.js";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { limits } from "../core/limits.js";
import { ContentWatcher } from "../lib/content-watcher.js";

export type ConfigReloaderOptions = {
  /** The configuration of the start. */
  config: Config;
  /** Loads the configuration. Throws ConfigError. */
  load: () => Promise<Config>;
  /** Puts a configuration into force. If it throws, the one before stays. */
  replace: (config: Config) => Promise<void>;
  log: FastifyBaseLogger;
  /** Milliseconds between two looks at the files; another one for tests. */
  interval?: number;
};

/**
 * Loads the configuration again when its files change, and on request. One that is not valid is refused: the one before
 * stays, and the log says why. A file that has gone counts as not valid, since most often it is about to come back.
 */
export class ConfigReloader {
  readonly #options: ConfigReloaderOptions;
  readonly #watcher: ContentWatcher;
  #loaded: Config;
  /** The reason of the last refusal, until a configuration is accepted. */
  #refusal: string | undefined;
  /** The last of the reloads, which are made one after the other. Never rejects. */
  #lastReload: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(options: ConfigReloaderOptions) {
    this.#options = options;
    this.#loaded = options.config;
    this.#watcher = new ContentWatcher({
      paths: () => watchedFiles(this.#loaded),
      interval: options.interval ?? limits.configPoll,
      maxBytes: limits.configFile,
      onChange: () => this.#reload(),
    });
  }

  /** Loads the configuration now and logs what came of it, also if nothing has changed. */
  async reload(): Promise<void> {
    this.#refusal = undefined;
    const before = this.#loaded;
    const isAccepted = await this.#reload();
    if (isAccepted && changedSettings(before, this.#loaded).length === 0)
      this.#options.log.info("the configuration was read again: nothing has changed");
  }

  /** Stops watching. What is being loaded is not put into force any more. */
  stop(): void {
    this.#isStopped = true;
    this.#watcher.stop();
  }

  /** False if the configuration was refused. */
  #reload(): Promise<boolean> {
    const reload = this.#lastReload.then(() => this.#loadAndReplace());
    this.#lastReload = reload;
    return reload;
  }

  async #loadAndReplace(): Promise<boolean> {
    const { load, replace } = this.#options;
    try {
      const config = await load();
      checkSameFile(this.#loaded, config);
      if (this.#isStopped) return true;
      if (changedSettings(this.#loaded, config).length > 0) await replace(config);
      this.#logChanges(config);
      this.#loaded = config;
      this.#refusal = undefined;
      return true;
    } catch (error) {
      this.#logRefusal(error);
      return false;
    }
  }

  #logChanges(config: Config): void {
    const { config: started, log } = this.#options;
    const changed = changedSettings(this.#loaded, config);
    const forRestart = settingsForRestart(started, config);
    const inForce = changed.filter((name) => !forRestart.includes(name));
    if (inForce.length > 0)
      log.info({ settings: inForce }, "changed settings of the configuration are in force");
    for (const name of changed.filter((each) => forRestart.includes(each)))
      log.warn(`${name} has changed: takes effect after a restart`);
    for (const warning of config.warnings.filter((each) => !this.#loaded.warnings.includes(each)))
      log.warn(warning);
  }

  /** Once for each reason: what stays invalid is tried again at every look, since what it lacks may be in another file. */
  #logRefusal(error: unknown): void {
    const reason = error instanceof ConfigError ? error.message : "a part of it could not be opened.";
    if (reason !== this.#refusal)
      this.#options.log.error(
        { error },
        `the new configuration is refused and the one before stays: ${reason}`,
      );
    this.#refusal = reason;
  }
}

function watchedFiles({ configFile, server: { tls } }: Config): readonly string[] {
  return [
    ...(configFile.kind === "none" ? configFile.searched : [configFile.path]),
    ...(tls ? [tls.certificate.path, tls.key.path] : []),
  ];
}

/** Throws ConfigError where another file, or none, would take the place of the config file. */
function checkSameFile({ configFile: before }: Config, { configFile: after }: Config): void {
  if (before.kind === "none" || (after.kind !== "none" && after.path === before.path)) return;
  const next = after.kind === "none" ? "there is no such file" : `${after.path} would be read instead`;
  throw new ConfigError(`${before.path}: ${next}. Put it back, or restart Moonbridge.`);
}
