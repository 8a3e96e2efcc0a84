import { Alert, Button, Group, Loader, Paper, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { Download, Play, RotateCcw, Square } from "lucide-react";
import type { ReactNode } from "react";
import { serverUrl } from "../../api/client.js";
import { useDiagnostics } from "../../api/diagnostics.js";
import { useDrift, useServerState } from "../../api/queries.js";
import { Failure } from "../../components/failure.jsx";
import { Findings } from "../../components/findings.jsx";
import { Page } from "../../components/page.jsx";
import { RelativeTime } from "../../components/time.jsx";
import { useFormat } from "../../i18n/format.js";
import { healthMessages } from "../../i18n/health.js";
import { useMessages } from "../../i18n/language.jsx";
import { LogSection } from "./log-section.jsx";

/** The checks, what changed at Kimi, the log, and what a bug report needs. */
export default function HealthPage() {
  const t = useMessages(healthMessages);
  return (
    <Page title={t.title} intro={t.intro}>
      <Checks />
      <DriftSection />
      <ServerSection />
      <LogSection />
    </Page>
  );
}

function Section({ title, children, actions }: { title: string; children: ReactNode; actions?: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {title}
          </Title>
          {actions}
        </Group>
        {children}
      </Stack>
    </Paper>
  );
}

function Checks() {
  const t = useMessages(healthMessages);
  const { run, start, stop } = useDiagnostics();
  const isRunning = run.state === "running";
  const button = isRunning ? (
    <Button variant="default" leftSection={<Square size={14} aria-hidden />} onClick={stop}>
      {t.stop}
    </Button>
  ) : (
    <Button leftSection={<Play size={15} aria-hidden />} onClick={start}>
      {t.run}
    </Button>
  );
  return (
    <Section title={t.checks} actions={button}>
      {run.state === "idle" ? (
        <Text size="sm" c="dimmed">
          {t.checksHint}
        </Text>
      ) : (
        <Findings findings={run.findings} />
      )}
      {isRunning && (
        <Group gap="xs" role="status">
          <Loader size="xs" aria-hidden />
          <Text size="sm">{t.running}</Text>
        </Group>
      )}
      {run.state === "failed" && <Failure what={t.checksFailed} error={run.error} onRetry={start} />}
    </Section>
  );
}

function DriftSection() {
  const t = useMessages(healthMessages);
  const { data, error, refetch } = useDrift();
  return (
    <Section title={t.drift}>
      {error && <Failure what={t.driftFailed} error={error} onRetry={() => refetch()} />}
      {data?.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.driftNone}
        </Text>
      )}
      {data && data.length > 0 && (
        <>
          <Text size="sm">{t.driftText}</Text>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t.driftColumns.kind}</Table.Th>
                <Table.Th>{t.driftColumns.name}</Table.Th>
                <Table.Th className="number">{t.driftColumns.count}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map(({ kind, name, count }) => (
                <Table.Tr key={`${kind} ${name}`}>
                  <Table.Td>{kind}</Table.Td>
                  <Table.Td className="server-words">{name}</Table.Td>
                  <Table.Td className="number">{count}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </>
      )}
    </Section>
  );
}

function ServerSection() {
  const t = useMessages(healthMessages);
  const format = useFormat();
  const { data, error, refetch } = useServerState();
  const download = (
    <Button
      component="a"
      href={`${serverUrl}v1/admin/support-bundle`}
      download="moonbridge-support.json"
      variant="default"
      leftSection={<Download size={15} aria-hidden />}
    >
      {t.bundle}
    </Button>
  );
  return (
    <Section title={t.server} actions={download}>
      <Text size="sm" c="dimmed">
        {t.bundleHint}
      </Text>
      {error && <Failure what={t.serverFailed} error={error} onRetry={() => refetch()} />}
      {!data && !error && <Skeleton height={120} />}
      {data && data.restart_needed.length > 0 && (
        <Alert color="yellow" icon={<RotateCcw aria-hidden />} title={t.restartNeeded}>
          {data.restart_needed.join(", ")}
        </Alert>
      )}
      {data && (
        <dl className="fields">
          <Field name={t.fields.version}>{data.version}</Field>
          <Field name={t.fields.node}>
            {data.node}, {data.platform}
          </Field>
          <Field name={t.fields.started}>
            <RelativeTime iso={data.started_at} />
          </Field>
          <Field name={t.fields.config}>{data.config_file ?? t.fields.noConfig}</Field>
          <Field name={t.fields.store}>{data.store}</Field>
          <Field name={t.fields.journal}>
            {t.journal(data.journal.days, format.number(data.journal.rows))}
          </Field>
        </dl>
      )}
    </Section>
  );
}

function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
