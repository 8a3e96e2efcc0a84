import { useFormat, useNow } from "../i18n/format.js";

/** A time relative to now; the exact one on hover. */
export function RelativeTime({ iso }: { iso: string }) {
  const format = useFormat();
  const now = useNow();
  return (
    <time dateTime={iso} title={format.exactTime(iso)}>
      {format.relativeTime(iso, now)}
    </time>
  );
}
