import { expect, test } from "vitest";
import { chooseLanguage } from "../../src/i18n/language.js";

test.each([
  ["linux", {}, "zh-CN", "en"],
  ["linux", { LANG: "zh_CN.UTF-8" }, "en-US", "zh"],
  ["linux", { LANG: "C.UTF-8" }, "en-US", "en"],
  ["linux", { LC_ALL: "en_GB.UTF-8", LANG: "zh_CN.UTF-8" }, "en-US", "en"],
  ["linux", { LC_ALL: "", LC_MESSAGES: "zh_TW", LANG: "de_DE" }, "en-US", "zh"],
  ["linux", { MOONBRIDGE_LANG: "zh", LC_ALL: "C" }, "en-US", "zh"],
  ["linux", { MOONBRIDGE_LANG: "en", LANG: "zh_CN.UTF-8" }, "en-US", "en"],
  ["linux", { LANG: "de_DE.UTF-8" }, "de-DE", "en"],
  ["win32", {}, "zh-CN", "zh"],
  ["win32", {}, "en-US", "en"],
  ["win32", { MOONBRIDGE_LANG: "en" }, "zh-CN", "en"],
  ["darwin", {}, "zh-Hans-CN", "zh"],
  ["darwin", { LANG: "en_US.UTF-8" }, "zh-Hans-CN", "en"],
] as const)(
  "on %s with %j and the system's locale %s: %s",
  (platform, environment, systemLocale, language) => {
    expect(chooseLanguage({ platform, environment, systemLocale })).toBe(language);
  },
);
