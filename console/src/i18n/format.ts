import { useEffect, useState } from "react";
import { type Language, useLanguage } from "./language.js";

const locales: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

const relativeUnits: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

export type Format = ReturnType<typeof formatIn>;

/** Writes numbers, times and sizes for people. */
export function useFormat(): Format {
  return formatIn(useLanguage().language);
}

function formatIn(language: Language) {
  const locale = locales[language];
  const number = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  return {
    number: (value: number) => number.format(value),
    percent: (fraction: number) => percent.format(fraction),
    exactTime: (iso: string) => time.format(new Date(iso)),
    clock: (iso: string) => clock.format(new Date(iso)),
    day: (iso: string) => day.format(new Date(iso)),
    /** “3 min ago”, “in 2 hr”. */
    relativeTime: (iso: string, now: number) => {
      const distance = new Date(iso).getTime() - now;
      const [unit, size] = relativeUnits.find(([, each]) => Math.abs(distance) >= each) ?? ["second", 1_000];
      return relative.format(Math.trunc(distance / size), unit);
    },
    /** “340 ms”, “2.4 s”, “1 min 12 s”. */
    duration: (milliseconds: number) => {
      if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
      if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
      return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1_000)} s`;
    },
    /** “12.4 KB”; units of 1,024 bytes. */
    bytes: (bytes: number) => {
      if (bytes < 1_024) return `${bytes} B`;
      if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} KB`;
      return `${(bytes / 1_048_576).toFixed(1)} MB`;
    },
  };
}

/** The time now in milliseconds since the epoch, anew every 15 seconds, so that relative times stay true. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
