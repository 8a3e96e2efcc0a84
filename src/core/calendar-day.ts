/** A day in the time zone of the server: its date, and when the next one begins, in milliseconds since the epoch. */
export type CalendarDay = { date: string; end: number };

/** The day at this time, in milliseconds since the epoch. */
export function calendarDay(time: number): CalendarDay {
  const now = new Date(time);
  const [year, month, day] = [now.getFullYear(), now.getMonth(), now.getDate()];
  return { date: formatDate(now), end: new Date(year, month, day + 1).getTime() };
}

/** `2026-12-31`, in the time zone of the server. */
function formatDate(date: Date): string {
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}
