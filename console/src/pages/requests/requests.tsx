import { Alert, Button, Group, Select, Skeleton } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Link, useParams } from "wouter";
import { type JournalFilters, useJournal, useRunningRequests } from "../../api/journal.js";
import { useAccounts, useKeys, useModels, useServerState } from "../../api/queries.js";
import type { RequestEntry } from "../../api/types.js";
import { Empty } from "../../components/empty.jsx";
import { Failure } from "../../components/failure.jsx";
import { Page } from "../../components/page.jsx";
import { outcomeStates } from "../../components/state.jsx";
import { commonMessages } from "../../i18n/common.js";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { requestsMessages } from "../../i18n/requests.js";
import { RequestDetail } from "./request-detail.jsx";
import { RequestTable } from "./request-table.jsx";
import { TextsNotice } from "./texts-notice.jsx";

/** The journal, or one request of it. */
export default function RequestsPage() {
  const { id } = useParams<{ id?: string }>();
  return id === undefined ? <Journal /> : <RequestDetail id={id} />;
}

function Journal() {
  const t = useMessages(requestsMessages);
  const server = useServerState();
  const [filters, setFilters] = useState<JournalFilters>({});
  const journal = useJournal(filters);
  const running = useRunningRequests();
  const isFiltered = Object.keys(filters).length > 0;
  const entries = journal.data?.pages.flatMap(({ data }) => data) ?? [];
  const shownRunning = isFiltered ? [] : running;
  return (
    <Page title={t.title} intro={server.data && t.intro(server.data.journal)} wide>
      <JournalNotices />
      <Filters filters={filters} onChange={setFilters} />
      {journal.error && <Failure what={t.failed} error={journal.error} onRetry={() => journal.refetch()} />}
      {journal.isPending && <Skeleton height={240} />}
      {journal.data && entries.length + shownRunning.length === 0 ? (
        <NoRequests isFiltered={isFiltered} onClear={() => setFilters({})} />
      ) : (
        journal.data && (
          <RequestTable
            running={shownRunning}
            entries={entries}
            hasMore={journal.hasNextPage}
            isLoadingMore={journal.isFetchingNextPage}
            onMore={() => journal.fetchNextPage()}
          />
        )
      )}
    </Page>
  );
}

function JournalNotices() {
  const t = useMessages(requestsMessages);
  const format = useFormat();
  const { data } = useServerState();
  if (!data) return null;
  const { lost } = data.journal;
  return (
    <>
      <TextsNotice />
      {lost > 0 && (
        <Alert color="yellow" icon={<TriangleAlert aria-hidden />}>
          {t.lost(format.number(lost))}
        </Alert>
      )}
    </>
  );
}

function NoRequests({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useMessages(requestsMessages);
  if (isFiltered)
    return (
      <Empty text={t.emptyFiltered}>
        <Button onClick={onClear}>{t.clearFilters}</Button>
      </Empty>
    );
  return (
    <Empty text={t.empty}>
      <Button component={Link} href="/clients">
        {t.connectClient}
      </Button>
    </Empty>
  );
}

const outcomes: readonly RequestEntry["outcome"][] = ["ok", "failed", "cancelled"];
const dialects = ["chat", "responses", "messages", "ollama"];

function Filters({
  filters,
  onChange,
}: {
  filters: JournalFilters;
  onChange: (filters: JournalFilters) => void;
}) {
  const t = useMessages(requestsMessages);
  const { states } = useMessages(commonMessages);
  const { data: keys = [] } = useKeys();
  const { data: models = [] } = useModels();
  const { data: accounts = [] } = useAccounts();
  const set = <Name extends keyof JournalFilters>(name: Name, value: JournalFilters[Name] | null) => {
    const { [name]: _before, ...others } = filters;
    onChange(value === null || value === undefined ? others : { ...others, [name]: value });
  };
  const common = { size: "xs", clearable: true, searchable: true, placeholder: t.filters.all } as const;
  return (
    <Group gap="xs" align="flex-end">
      <Select
        {...common}
        w={150}
        label={t.filters.key}
        data={[...new Set(["web console", ...keys.map(({ id }) => id)])]}
        value={filters.key ?? null}
        onChange={(key) => set("key", key)}
      />
      <Select
        {...common}
        w={180}
        label={t.filters.model}
        data={[...new Set(models.map(({ id }) => id))]}
        limit={100}
        value={filters.model ?? null}
        onChange={(model) => set("model", model)}
      />
      <Select
        {...common}
        w={130}
        label={t.filters.outcome}
        data={outcomes.map((value) => ({ value, label: states[outcomeStates[value]] }))}
        value={filters.outcome ?? null}
        onChange={(outcome) => set("outcome", outcome)}
      />
      <Select
        {...common}
        w={130}
        label={t.filters.dialect}
        data={dialects}
        value={filters.dialect ?? null}
        onChange={(dialect) => set("dialect", dialect)}
      />
      {accounts.length > 1 && (
        <Select
          {...common}
          w={130}
          label={t.filters.upstream}
          data={accounts.map(({ id }) => id)}
          value={filters.upstream ?? null}
          onChange={(upstream) => set("upstream", upstream)}
        />
      )}
    </Group>
  );
}
