import { type Language, type LocalizedText, text } from "./text.js";

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Formats a time with its distance from `now`, both in milliseconds: `in 12 minutes (2026-11-24 15:04 UTC)`. */
export function formatTimeWithDistance(time: number, now: number): LocalizedText {
  const distance = time - now;
  const [unit, size] = units.find(([, size]) => Math.abs(distance) >= 2 * size) ?? units[3];
  const words = (language: Language) =>
    new Intl.RelativeTimeFormat(language).format(Math.round(distance / size), unit);
  const instant = `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return text(`${words("en")} (${instant})`, `${words("zh")}（${instant}）`);
}
