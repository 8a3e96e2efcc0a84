import { Button, Group, Paper, SegmentedControl, Select, Skeleton, Stack, Table, Text } from "@mantine/core";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { serverUrl } from "../../api/client.js";
import { useUsage } from "../../api/queries.js";
import type { Usage, UsageGroup } from "../../api/types.js";
import { BarChart, seriesColours } from "../../components/bar-chart.jsx";
import { Empty } from "../../components/empty.jsx";
import { Failure } from "../../components/failure.jsx";
import { Page } from "../../components/page.jsx";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { usageMessages } from "../../i18n/usage.js";
import { type Figure, figures, seriesOf, totalsOf } from "./usage-sums.js";

const groups: readonly UsageGroup[] = ["key", "model", "account", "outcome"];
const spans = ["7", "30", "90"];
const dayLength = 86_400_000;

/** Requests, tokens and errors a day, by key, model, account or outcome. */
export default function UsagePage() {
  const t = useMessages(usageMessages);
  const [by, setBy] = useState<UsageGroup>("key");
  const [figure, setFigure] = useState<Figure>("requests");
  const [span, setSpan] = useState("30");
  const from = new Date(Date.now() - (Number(span) - 1) * dayLength).toISOString().slice(0, 10);
  const usage = useUsage({ by, from });
  const csv = `${serverUrl}v1/admin/usage.csv?by=${by}&from=${from}`;
  return (
    <Page
      title={t.title}
      intro={t.intro}
      wide
      actions={
        <Button
          component="a"
          href={csv}
          download
          variant="default"
          leftSection={<Download size={15} aria-hidden />}
        >
          {t.csv}
        </Button>
      }
    >
      <Group gap="md" align="flex-end">
        <Select
          size="xs"
          w={130}
          label={t.by}
          allowDeselect={false}
          data={groups.map((value) => ({ value, label: t.groups[value] }))}
          value={by}
          onChange={(value) => value !== null && setBy(value)}
        />
        <SegmentedControl
          size="xs"
          aria-label={t.show}
          data={figures.map((value) => ({ value, label: t.figures[value] }))}
          value={figure}
          onChange={setFigure}
        />
        <SegmentedControl size="xs" aria-label={t.days} data={spans} value={span} onChange={setSpan} />
        <Text size="xs" c="dimmed">
          {t.days}
        </Text>
      </Group>
      {usage.error && <Failure what={t.failed} error={usage.error} onRetry={() => usage.refetch()} />}
      {usage.isPending && <Skeleton height={260} />}
      {usage.data &&
        (usage.data.data.length === 0 ? <NoUsage /> : <UsageFigures usage={usage.data} figure={figure} />)}
    </Page>
  );
}

function NoUsage() {
  const t = useMessages(usageMessages);
  return (
    <Empty text={t.empty}>
      <Button component={Link} href="/clients">
        {t.connectClient}
      </Button>
    </Empty>
  );
}

function UsageFigures({ usage, figure }: { usage: Usage; figure: Figure }) {
  const t = useMessages(usageMessages);
  const format = useFormat();
  const { days, series } = useMemo(() => seriesOf(usage, figure), [usage, figure]);
  const named = useMemo(
    () => series.map(({ name, values }) => ({ name: name || t.none, values })),
    [series, t.none],
  );
  return (
    <Stack>
      <Paper withBorder p="md">
        <BarChart
          days={days}
          series={named}
          label={t.chart(t.figures[figure])}
          formatDay={format.day}
          formatNumber={format.number}
        />
        <ul className="timeline-legend">
          {named.map(({ name }, index) => (
            <li key={name}>
              <span
                className="timeline-key"
                style={{ background: seriesColours[index % seriesColours.length] }}
                aria-hidden="true"
              />
              {name}
            </li>
          ))}
        </ul>
      </Paper>
      <UsageTable usage={usage} />
    </Stack>
  );
}

function UsageTable({ usage }: { usage: Usage }) {
  const t = useMessages(usageMessages);
  const { number } = useFormat();
  const { rows, total } = totalsOf(usage);
  return (
    <Table className="stacked-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t.columns.name}</Table.Th>
          <Table.Th className="number">{t.columns.requests}</Table.Th>
          <Table.Th className="number">{t.columns.errors}</Table.Th>
          <Table.Th className="number">{t.columns.cancelled}</Table.Th>
          <Table.Th className="number">{t.columns.input}</Table.Th>
          <Table.Th className="number">{t.columns.output}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {[...rows, { ...total, name: t.total }].map((row, index) => (
          <Table.Tr key={row.name} className={index === rows.length ? "total-row" : ""}>
            <Table.Td data-label={t.columns.name}>{row.name || t.none}</Table.Td>
            <Table.Td data-label={t.columns.requests} className="number">
              {number(row.requests)}
            </Table.Td>
            <Table.Td data-label={t.columns.errors} className="number">
              {number(row.errors)}
            </Table.Td>
            <Table.Td data-label={t.columns.cancelled} className="number">
              {number(row.cancelled)}
            </Table.Td>
            <Table.Td data-label={t.columns.input} className="number">
              {number(row.input_tokens)}
            </Table.Td>
            <Table.Td data-label={t.columns.output} className="number">
              {number(row.output_tokens)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
