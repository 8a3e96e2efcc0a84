/* biome-ignore-all lint/a11y/useSemanticElements: only the rows in view exist, so that a table element would lie about their number. */
/* biome-ignore-all lint/a11y/useFocusableInteractive: cells of a table take no focus; only those of a grid do. */
import { Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { Link } from "wouter";
import type { RequestEntry, StartedRequest } from "../../api/types.js";
import { outcomeStates, StateLabel } from "../../components/state.jsx";
import { RelativeTime } from "../../components/time.jsx";
import { useFormat } from "../../i18n/format.js";
import { useMessages } from "../../i18n/language.jsx";
import { requestsMessages } from "../../i18n/requests.js";

type RequestTableProps = {
  running: readonly StartedRequest[];
  entries: readonly RequestEntry[];
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
};

const rowHeight = 42;
const phoneRowHeight = 66;

/** The requests that are being answered and those of the journal. Only the rows in view are in the page. */
export function RequestTable({ running, entries, hasMore, isLoadingMore, onMore }: RequestTableProps) {
  const t = useMessages(requestsMessages);
  const format = useFormat();
  const scroller = useRef<HTMLDivElement>(null);
  const count = running.length + entries.length;
  const isPhone = window.matchMedia("(max-width: 767px)").matches;
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isPhone ? phoneRowHeight : rowHeight),
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= count - 20 && hasMore && !isLoadingMore) onMore();
  }, [last, count, hasMore, isLoadingMore, onMore]);
  return (
    <div>
      <div className="request-table" role="table" aria-label={t.title} aria-rowcount={count}>
        <HeadRow />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1). */}
        <div ref={scroller} className="request-scroller" role="rowgroup" tabIndex={0}>
          <div className="request-rows" role="presentation" style={{ height: rows.getTotalSize() }}>
            {items.map(({ index, key, start, size }) => {
              const position = { transform: `translateY(${start}px)`, height: size };
              const started = running[index];
              const entry = entries[index - running.length];
              return (
                <div key={key} className="request-position" style={position} role="presentation">
                  {started ? <RunningRow request={started} /> : entry && <EntryRow entry={entry} />}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <Text size="xs" c="dimmed" mt={6} role="status">
        {isLoadingMore ? t.loadingMore : t.rows(format.number(entries.length))}
      </Text>
    </div>
  );
}

function HeadRow() {
  const { columns } = useMessages(requestsMessages);
  return (
    <div role="rowgroup">
      <div className="request-row request-head" role="row">
        <span role="columnheader">{columns.time}</span>
        <span role="columnheader">{columns.outcome}</span>
        <span role="columnheader">{columns.key}</span>
        <span role="columnheader">{columns.model}</span>
        <span role="columnheader" className="number">
          {columns.firstWord}
        </span>
        <span role="columnheader" className="number">
          {columns.whole}
        </span>
        <span role="columnheader" className="number">
          {columns.tokens}
        </span>
      </div>
    </div>
  );
}

function RunningRow({ request }: { request: StartedRequest }) {
  return (
    <div className="request-row" role="row">
      <span role="cell">
        <RelativeTime iso={request.started_at} />
      </span>
      <span role="cell">
        <StateLabel state="running" />
      </span>
      <span role="cell" className="cut">
        {request.key}
      </span>
      <span role="cell" className="cut">
        {request.route}
      </span>
      <span role="cell" />
      <span role="cell" />
      <span role="cell" />
    </div>
  );
}

function EntryRow({ entry }: { entry: RequestEntry }) {
  const format = useFormat();
  const { id, started_at, outcome, error_code, key, model, route, first_output_ms, duration_ms } = entry;
  const tokens = (entry.input_tokens ?? 0) + (entry.output_tokens ?? 0);
  return (
    <div className="request-row" role="row">
      <span role="cell">
        <Link href={`/requests/${encodeURIComponent(id)}`} className="request-link">
          <RelativeTime iso={started_at} />
        </Link>
      </span>
      <span role="cell" className="cut" title={error_code ?? undefined}>
        <StateLabel state={outcomeStates[outcome]} />
      </span>
      <span role="cell" className="cut">
        {key}
      </span>
      <span role="cell" className="cut">
        {model ?? route}
      </span>
      <span role="cell" className="number">
        {first_output_ms === null ? "–" : format.duration(first_output_ms)}
      </span>
      <span role="cell" className="number">
        {format.duration(duration_ms)}
      </span>
      <span role="cell" className="number">
        {tokens === 0 ? "–" : `${entry.estimated ? "≈ " : ""}${format.number(tokens)}`}
      </span>
    </div>
  );
}
