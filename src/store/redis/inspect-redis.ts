import { RedisConnection } from "./connection.js";
import { parsePairs } from "./reply.js";
import { readServerInfo } from "./server-info.js";

/** What a Redis says of how it keeps what it is given. Undefined: its user may not ask, or it does not say. */
export type RedisState = {
  version: string;
  /** Whether it takes writes. */
  isPrimary: boolean;
  hasAppendOnlyFile: boolean;
  /** When the file is synced to the disk. */
  appendFsync: string | undefined;
  /** Connected replicas. */
  replicas: number;
  /** What it removes when it is full; `noeviction` for nothing. */
  evictionPolicy: string | undefined;
  /** The median of five, in milliseconds. */
  roundTrip: number;
};

/** Asks the Redis at this URL. Throws StoreError. */
export async function inspectRedis(url: string): Promise<RedisState> {
  const connection = await RedisConnection.open(url);
  try {
    const info = await readServerInfo(connection);
    // Services often forbid CONFIG.
    const settings = await connection.send("CONFIG", "GET", "appendfsync").catch(() => []);
    return {
      version: info.get("redis_version") ?? "?",
      isPrimary: info.get("role") !== "slave",
      hasAppendOnlyFile: info.get("aof_enabled") === "1",
      appendFsync: connection.parse(parsePairs, settings).get("appendfsync"),
      replicas: Number(info.get("connected_slaves") ?? 0),
      evictionPolicy: info.get("maxmemory_policy"),
      roundTrip: await measureRoundTrip(connection),
    };
  } finally {
    await connection.close();
  }
}

async function measureRoundTrip(connection: RedisConnection): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 5; n++) {
    const startedAt = performance.now();
    await connection.send("PING");
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((a, b) => a - b)[2] ?? 0;
}
