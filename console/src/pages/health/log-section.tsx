import { Button, Group, Paper, Stack, Switch, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useLog } from "../../api/queries.js";
import type { LogLine } from "../../api/types.js";
import { Failure } from "../../components/failure.jsx";
import { useFormat } from "../../i18n/format.js";
import { healthMessages } from "../../i18n/health.js";
import { useMessages } from "../../i18n/language.jsx";

/** The end of the log. */
export function LogSection() {
  const t = useMessages(healthMessages);
  const { data, error, refetch, isFetching } = useLog();
  const [onlyProblems, setOnlyProblems] = useState(false);
  const lines = data?.filter(({ level }) => !onlyProblems || level === "warn" || level === "error") ?? [];
  return (
    <Paper withBorder p="md" component="section">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {t.log}
          </Title>
          <Group>
            <Switch
              size="xs"
              label={t.onlyProblems}
              checked={onlyProblems}
              onChange={({ currentTarget }) => setOnlyProblems(currentTarget.checked)}
            />
            <Button size="xs" variant="default" loading={isFetching} onClick={() => refetch()}>
              {t.refresh}
            </Button>
          </Group>
        </Group>
        {error && <Failure what={t.logFailed} error={error} onRetry={() => refetch()} />}
        {data && lines.length === 0 && (
          <Text size="sm" c="dimmed">
            {t.logEmpty}
          </Text>
        )}
        {lines.length > 0 && <LogLines lines={lines} />}
      </Stack>
    </Paper>
  );
}

function LogLines({ lines }: { lines: readonly LogLine[] }) {
  const t = useMessages(healthMessages);
  const format = useFormat();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard (WCAG 2.1.1).
    <ol className="log-lines" aria-label={t.log} tabIndex={0}>
      {lines.map(({ time, level, message, fields }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no id, and two may be equal.
        <li key={index} className={`log-${level}`}>
          <time dateTime={time} title={format.exactTime(time)}>
            {format.clock(time)}
          </time>
          <span>{level}</span>
          <span>
            {message} <span className="log-fields">{fieldsText(fields)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function fieldsText(fields: LogLine["fields"]): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
