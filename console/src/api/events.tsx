import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { serverUrl } from "./client.js";
import type { AdminEvent } from "./types.js";

/** `lost`: the stream broke off and is opened again every few seconds. */
export type EventConnection = "connecting" | "open" | "lost";

type Listener = (event: AdminEvent) => void;
type Events = { connection: EventConnection; subscribe: (listener: Listener) => () => void };

const EventsContext = createContext<Events>({ connection: "connecting", subscribe: () => () => {} });

const eventNames: readonly AdminEvent["type"][] = ["request.started", "request.ended", "accounts", "drift"];
const reopenAfter = 2_000;

/** Keeps one event stream open for all pages. After an interruption everything that is shown is fetched anew. */
export function EventsProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [connection, setConnection] = useState<EventConnection>("connecting");
  const listeners = useRef(new Set<Listener>());

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wasLost = false;
    const open = () => {
      source = new EventSource(new URL("v1/admin/events", serverUrl));
      source.onopen = () => {
        setConnection("open");
        if (wasLost) client.invalidateQueries();
        wasLost = false;
      };
      // EventSource gives up after some failures; a new one does not.
      source.onerror = () => {
        source?.close();
        wasLost = true;
        setConnection("lost");
        timer = setTimeout(open, reopenAfter);
      };
      for (const name of eventNames)
        source.addEventListener(name, ({ data }: MessageEvent<string>) => {
          const event: AdminEvent = JSON.parse(data);
          for (const listener of listeners.current) listener(event);
        });
    };
    open();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }, [client]);

  const events = useMemo<Events>(
    () => ({
      connection,
      subscribe: (listener) => {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [connection],
  );
  return <EventsContext value={events}>{children}</EventsContext>;
}

export function useEventConnection(): EventConnection {
  return useContext(EventsContext).connection;
}

/** Calls `listener` for each event while the component is shown. */
export function useAdminEvents(listener: Listener): void {
  const { subscribe } = useContext(EventsContext);
  const current = useRef(listener);
  current.current = listener;
  useEffect(() => subscribe((event) => current.current(event)), [subscribe]);
}
