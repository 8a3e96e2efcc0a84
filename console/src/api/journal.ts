import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "./client.js";
import { useAdminEvents } from "./events.jsx";
import type { RequestEntry, RequestQuery, StartedRequest } from "./types.js";

export type JournalFilters = Pick<RequestQuery, "key" | "model" | "outcome" | "dialect" | "upstream">;

type JournalPage = { data: RequestEntry[]; next: string | null };

const pageSize = "200";
const mostRunning = 100;

/** The journal, the newest first: pages on demand, and each request that ends meanwhile. */
export function useJournal(filters: JournalFilters) {
  const client = useQueryClient();
  const queryKey = ["requests", filters];
  useAdminEvents((event) => {
    if (event.type !== "request.ended" || !matches(event.request, filters)) return;
    client.setQueryData<InfiniteData<JournalPage>>(queryKey, (shown) => withNewest(shown, event.request));
  });
  return useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }): Promise<JournalPage> => {
      const query = {
        ...filters,
        limit: pageSize,
        ...(pageParam === undefined ? {} : { before: pageParam }),
      };
      return answerOf(api.GET("/v1/admin/requests", { params: { query }, signal }));
    },
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchOnWindowFocus: false,
  });
}

function withNewest(shown: InfiniteData<JournalPage> | undefined, newest: RequestEntry) {
  const [first, ...others] = shown?.pages ?? [];
  if (!shown || !first || first.data.some(({ id }) => id === newest.id)) return shown;
  return { ...shown, pages: [{ ...first, data: [newest, ...first.data] }, ...others] };
}

function matches(request: RequestEntry, filters: JournalFilters): boolean {
  const { key, model, outcome, dialect, upstream } = filters;
  const wanted = { key, model, outcome, dialect, upstream };
  return Object.entries(wanted).every(
    ([name, value]) => value === undefined || request[name as keyof typeof wanted] === value,
  );
}

/** The requests that are being answered, the newest first. */
export function useRunningRequests(): StartedRequest[] {
  const [running, setRunning] = useState<StartedRequest[]>([]);
  useAdminEvents((event) => {
    if (event.type === "request.started")
      setRunning((others) => [event.request, ...others].slice(0, mostRunning));
    if (event.type === "request.ended")
      setRunning((others) => others.filter(({ id }) => id !== event.request.id));
  });
  return running;
}

export function useRequest(id: string) {
  return useQuery({
    queryKey: ["request", id],
    queryFn: ({ signal }) =>
      answerOf(api.GET("/v1/admin/requests/{id}", { params: { path: { id } }, signal })),
  });
}
