import { Text } from "@mantine/core";
import { chatMessages } from "../../i18n/chat.js";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import type { RawEvent } from "./use-chat.js";

export function RawEvents({ events }: { events: readonly RawEvent[] }) {
  const t = useMessages(chatMessages);
  const format = useFormat();
  if (events.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t.eventsEmpty}
      </Text>
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard (WCAG 2.1.1).
    <ol className="raw-events" aria-label={t.events} tabIndex={0}>
      {events.map(({ number, atMs, data }) => (
        <li key={number}>
          <span className="raw-time">{format.duration(atMs)}</span>
          <code>{data}</code>
        </li>
      ))}
    </ol>
  );
}
