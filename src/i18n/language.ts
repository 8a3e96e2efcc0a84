import type { Environment } from "../lib/environment-variables.js";
import type { Language } from "./text.js";

/** What decides the language. `systemLocale`: the locale of the system's settings, such as `zh-CN`. */
export type LanguageSource = {
  platform: NodeJS.Platform;
  environment: Environment;
  systemLocale: string;
};

/**
 * MOONBRIDGE_LANG, else the first locale variable that is set (POSIX: LC_ALL, LC_MESSAGES, LANG). On Windows and macOS
 * programs are also started without these, and the system's settings count. English for all other languages.
 */
export function chooseLanguage({ platform, environment, systemLocale }: LanguageSource): Language {
  const { MOONBRIDGE_LANG, LC_ALL, LC_MESSAGES, LANG } = environment;
  const variable = [MOONBRIDGE_LANG, LC_ALL, LC_MESSAGES, LANG].find((value) => (value ?? "") !== "");
  const hasSystemSettings = platform === "win32" || platform === "darwin";
  return languageOfLocale(variable ?? (hasSystemSettings ? systemLocale : "en"));
}

/** The language of this process. */
export function languageOfProcess(): Language {
  const systemLocale = Intl.DateTimeFormat().resolvedOptions().locale;
  return chooseLanguage({ platform: process.platform, environment: process.env, systemLocale });
}

function languageOfLocale(locale: string): Language {
  return /^["']?zh/i.test(locale) ? "zh" : "en";
}
