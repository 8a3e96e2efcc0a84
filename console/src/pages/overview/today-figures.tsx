import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { useAdminEvents } from "../../api/events.jsx";
import { useUsageHours } from "../../api/queries.js";
import type { UsageHours } from "../../api/types.js";
import { Empty } from "../../components/empty.jsx";
import { Failure } from "../../components/failure.jsx";
import { Sparkline } from "../../components/sparkline.jsx";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { overviewMessages } from "../../i18n/overview.js";

type Hour = UsageHours["data"][number];

const hourLength = 3_600_000;

/** Requests, errors, first word and tokens of the last 24 hours, each with its course. */
export function TodayFigures() {
  const t = useMessages(overviewMessages);
  const client = useQueryClient();
  const { data, error, refetch } = useUsageHours();
  useAdminEvents((event) => {
    if (event.type === "request.ended") client.invalidateQueries({ queryKey: ["usage hours"] });
  });
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t.today}
        </Title>
        <Button component={Link} href="/requests" variant="subtle" size="compact-sm">
          {t.all}
        </Button>
      </Group>
      {error && <Failure what={t.usageFailed} error={error} onRetry={() => refetch()} />}
      {data && (data.length === 0 ? <NoRequests /> : <Figures hours={data} />)}
      {!data && !error && <Skeleton height={120} />}
    </Stack>
  );
}

function NoRequests() {
  const t = useMessages(overviewMessages);
  return (
    <Empty text={t.noRequests}>
      <Group>
        <Button component={Link} href="/clients">
          {t.connectClient}
        </Button>
        <Button component={Link} href="/chat" variant="default">
          {t.tryChat}
        </Button>
      </Group>
    </Empty>
  );
}

function Figures({ hours }: { hours: readonly Hour[] }) {
  const t = useMessages(overviewMessages);
  const format = useFormat();
  const sum = (value: (hour: Hour) => number) => hours.reduce((total, hour) => total + value(hour), 0);
  const course = (value: (hour: Hour) => number) => lastDay(hours).map((hour) => (hour ? value(hour) : 0));
  const firstWords = hours.flatMap(({ first_output_ms }) =>
    first_output_ms === null ? [] : [first_output_ms],
  );
  const firstWord = firstWords.reduce((total, each) => total + each, 0) / firstWords.length;
  const tokens = ({ input_tokens, output_tokens }: Hour) => input_tokens + output_tokens;
  return (
    <div className="figures">
      <Figure
        name={t.requests}
        value={format.number(sum(({ requests }) => requests))}
        course={course(({ requests }) => requests)}
      />
      <Figure
        name={t.errors}
        value={format.number(sum(({ errors }) => errors))}
        course={course(({ errors }) => errors)}
      />
      <Figure
        name={t.firstWord}
        value={firstWords.length === 0 ? "–" : format.duration(firstWord)}
        note={firstWords.length === 0 ? "" : t.average}
        course={course(({ first_output_ms }) => first_output_ms ?? 0)}
      />
      <Figure name={t.tokens} value={format.number(sum(tokens))} course={course(tokens)} />
    </div>
  );
}

/** The hours of the last day, the oldest first; undefined for those without requests. */
function lastDay(hours: readonly Hour[]): (Hour | undefined)[] {
  const current = Math.floor(Date.now() / hourLength);
  const byNumber = new Map(hours.map((hour) => [Math.floor(Date.parse(hour.hour) / hourLength), hour]));
  return Array.from({ length: 24 }, (_, index) => byNumber.get(current - 23 + index));
}

function Figure({
  name,
  value,
  note = "",
  course,
}: {
  name: string;
  value: string;
  note?: string;
  course: number[];
}) {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={600}>
        {value}
        {note !== "" && (
          <Text span size="xs" c="dimmed" fw={400}>
            {" "}
            {note}
          </Text>
        )}
      </Text>
      <Sparkline values={course} label={`${name}: ${value}`} />
    </Paper>
  );
}
