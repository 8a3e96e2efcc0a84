/** The process of the load client. */
import { handleCalls } from "../ipc.js";
import { ClientConnection } from "./client-connection.js";
import type { LoadProfile } from "./load-profile.js";
import { LoadStatistics } from "./load-statistics.js";

type ActiveLoad = { statistics: LoadStatistics; connections: ClientConnection[]; finished: Promise<unknown> };

let activeLoad: ActiveLoad | undefined;

handleCalls({ start, progress: () => activeLoad?.statistics.progress(), stop });

/** Starts the load; its first requests are spread over `rampUp` milliseconds. */
function start(profile: LoadProfile): void {
  const statistics = new LoadStatistics();
  const connections: ClientConnection[] = [];
  const finished: Promise<void>[] = [];
  for (let index = 0; index < profile.streams; index++) {
    finished.push(
      new Promise((resolve) => {
        const connection = new ClientConnection(profile, statistics, resolve);
        connections.push(connection);
        setTimeout(() => connection.sendRequest(), (profile.rampUp * index) / profile.streams);
      }),
    );
  }
  activeLoad = { statistics, connections, finished: Promise.all(finished) };
}

/** Ends the load: waits for the running answers, or aborts them. */
async function stop({ abort }: { abort: boolean }) {
  if (!activeLoad) return undefined;
  const { statistics, connections, finished } = activeLoad;
  statistics.isStopping = true;
  if (abort) for (const connection of connections) connection.abort();
  await finished;
  return statistics.result();
}
