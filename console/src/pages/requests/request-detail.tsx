import { Alert, Button, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { ArrowLeft, CircleX } from "lucide-react";
import { Link } from "wouter";
import { toApiError } from "../../api/api-error.js";
import { useRequest } from "../../api/journal.js";
import type { RequestEntry } from "../../api/types.js";
import { CopyValue } from "../../components/code-block.jsx";
import { Empty } from "../../components/empty.jsx";
import { Failure } from "../../components/failure.jsx";
import { Page } from "../../components/page.jsx";
import { outcomeStates, StateLabel } from "../../components/state.jsx";
import { commonMessages } from "../../i18n/common.js";
import { failureMessages } from "../../i18n/failures.js";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { requestsMessages } from "../../i18n/requests.js";
import { RequestTexts } from "./request-texts.jsx";
import { TextsNotice } from "./texts-notice.jsx";

export function RequestDetail({ id }: { id: string }) {
  const t = useMessages(requestsMessages);
  const { data, error, isPending, refetch } = useRequest(id);
  const back = (
    <Button
      component={Link}
      href="/requests"
      variant="default"
      leftSection={<ArrowLeft size={15} aria-hidden />}
    >
      {t.back}
    </Button>
  );
  return (
    <Page title={t.detail} actions={back}>
      <TextsNotice />
      {isPending && <Skeleton height={240} />}
      {error && toApiError(error).code === "not_found" ? (
        <Empty text={t.notFound}>{back}</Empty>
      ) : (
        error && <Failure what={t.detailFailed} error={error} onRetry={() => refetch()} />
      )}
      {data && (
        <Stack>
          <ErrorRemedy entry={data} />
          {data.texts && <RequestTexts texts={data.texts} />}
          <Timeline entry={data} />
          <Fields entry={data} />
        </Stack>
      )}
    </Page>
  );
}

function ErrorRemedy({ entry: { error_code } }: { entry: RequestEntry }) {
  const t = useMessages(requestsMessages);
  const common = useMessages(commonMessages);
  const failures = useMessages(failureMessages);
  if (error_code === null) return null;
  const explanation = failures.byCode[error_code];
  return (
    <Alert color="red" icon={<CircleX aria-hidden />} title={t.errorTitle(error_code)}>
      {explanation && (
        <Text size="sm">
          <b>{common.why}: </b>
          {explanation.why}
        </Text>
      )}
      <Text size="sm">
        <b>{common.remedy}: </b>
        {explanation?.remedy ?? failures.other}
      </Text>
    </Alert>
  );
}

/** Waiting, until the first word, answering: as lengths of the whole. */
function Timeline({ entry }: { entry: RequestEntry }) {
  const t = useMessages(requestsMessages);
  const format = useFormat();
  const { duration_ms, waited_ms, first_output_ms } = entry;
  const waited = waited_ms ?? 0;
  const thinking = Math.max(0, (first_output_ms ?? duration_ms) - waited);
  const answering = first_output_ms === null ? 0 : Math.max(0, duration_ms - first_output_ms);
  const phases = [
    { name: t.phases.waited, length: waited, className: "phase-waited" },
    { name: t.phases.thinking, length: thinking, className: "phase-thinking" },
    { name: t.phases.answering, length: answering, className: "phase-answering" },
  ].filter(({ length }) => length > 0);
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        {t.timeline}: {format.duration(duration_ms)}
      </Title>
      <div className="timeline" aria-hidden="true">
        {phases.map(({ name, length, className }) => (
          <div key={name} className={className} style={{ flexGrow: length }} />
        ))}
      </div>
      <ul className="timeline-legend">
        {phases.map(({ name, length, className }) => (
          <li key={name}>
            <span className={`timeline-key ${className}`} aria-hidden="true" />
            {name}: {format.duration(length)}
          </li>
        ))}
      </ul>
    </Paper>
  );
}

function Fields({ entry }: { entry: RequestEntry }) {
  const t = useMessages(requestsMessages);
  const format = useFormat();
  const tokens = (count: number | null) =>
    count === null ? null : `${format.number(count)}${entry.estimated ? ` (${t.estimated})` : ""}`;
  const fields: readonly (readonly [string, React.ReactNode])[] = [
    [t.columns.outcome, <StateLabel key="outcome" state={outcomeStates[entry.outcome]} />],
    [t.fields.id, <CopyValue key="id" text={entry.id} label={t.fields.id} />],
    [t.fields.started, format.exactTime(entry.started_at)],
    [t.fields.route, `${entry.method} ${entry.route}`],
    [t.fields.status, entry.status],
    [t.fields.dialect, entry.dialect],
    [t.fields.key, entry.key],
    [t.fields.upstream, entry.upstream],
    [t.fields.model, entry.model],
    [t.fields.chat, entry.chat === null ? null : t.chats[entry.chat]],
    [t.fields.finish, entry.finish],
    [t.fields.attempts, entry.attempts],
    [t.fields.upstreamCode, entry.upstream_code],
    [t.fields.input, tokens(entry.input_tokens)],
    [t.fields.cached, tokens(entry.cached_tokens)],
    [t.fields.output, tokens(entry.output_tokens)],
    [t.fields.reasoning, tokens(entry.reasoning_tokens)],
    [t.fields.ignored, entry.ignored.join(", ") || null],
    [t.fields.trace, entry.trace_id],
  ];
  return (
    <Paper withBorder p="md">
      <dl className="fields">
        {fields
          .filter(([, value]) => value !== null)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </Paper>
  );
}
