/**
 * Masks clock values in a system text, since NextChat and LobeChat put the current time into it (clients.md §2.1): dates,
 * times of day, the weekdays and time zones beside them, and Unix times within two days of `now` (milliseconds since the
 * epoch). Texts that are equal when masked belong to the same assistant.
 */
export function maskClock(text: string, now: number): string {
  return text
    .replace(unixTime, (digits) => (isNear(digits, now) ? mask : digits))
    .replace(date, mask)
    .replace(timeOfDay, mask)
    .replace(maskedGroup, mask);
}

const mask = "\u{1f552}";
const twoDays = 2 * 86_400_000;

const month = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?";
const day = "\\d{1,2}(?:st|nd|rd|th)?";
const date = anyOf("(?<![\\p{L}\\p{N}])", "(?=T\\d|(?![\\p{L}\\p{N}]))", [
  "\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}",
  "\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{4}",
  // Dots would also match versions.
  "\\d{1,2}/\\d{1,2}/\\d{2}",
  `${month}\\s{1,3}${day}(?:,?\\s{1,3}\\d{4})?`,
  `${day}\\s{1,3}${month}(?:,?\\s{1,3}\\d{4})?`,
  "\\d{4}\\s?年\\s?\\d{1,2}\\s?月(?:\\s?\\d{1,2}\\s?[日号])?",
]);
const timeOfDay = anyOf("(?<![\\p{L}\\p{N}:])", "(?![\\p{N}:])", [
  "T?\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d{1,9})?)?(?:\\s?[ap]\\.?m\\b\\.?|Z)?",
  "\\d{1,2}\\s?[ap]\\.?m\\b\\.?",
  "(?:上午|下午|凌晨|中午|晚上)?\\s?\\d{1,2}\\s?[时点](?:\\s?\\d{1,2}\\s?分(?:\\s?\\d{1,2}\\s?秒)?)?",
]);
const weekday = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\\.?|(?:星期|周|礼拜)[一二三四五六日天]";
const zone =
  "(?:gmt|utc)(?:\\s?[+-]\\s?\\d{1,2}(?::?\\d{2})?)?|[+-]\\d{2}:?\\d{2}|\\([^()]{0,40}(?:time|时间)\\)|\\b(?:[ecmp][sd]t|cet|cest|eet|bst|ist|jst|kst|hkt|sgt|aest|aedt|z)\\b";
const gap = "[\\s,，、()（）-]{0,3}";
/** Clock values side by side count as one, with their weekday and time zone. */
const maskedGroup = new RegExp(
  `(?:(?:${weekday})${gap})?${mask}(?:${gap}(?:${mask}|${weekday}|${zone}))*`,
  "giu",
);
const unixTime = /(?<![\d.])\d{10}(?:\d{3})?(?!\d)/g;

function anyOf(before: string, after: string, forms: readonly string[]): RegExp {
  return new RegExp(`${before}(?:${forms.join("|")})${after}`, "giu");
}

function isNear(digits: string, now: number): boolean {
  const time = digits.length === 13 ? Number(digits) : Number(digits) * 1_000;
  return Math.abs(time - now) <= twoDays;
}
