import type { RedisConnection } from "./connection.js";
import { parseText } from "./reply.js";

/** What Redis says of itself, by name: the sections of INFO. */
export type ServerInfo = ReadonlyMap<string, string>;

export async function readServerInfo(
  connection: RedisConnection,
  ...sections: string[]
): Promise<ServerInfo> {
  const reply = await connection.send("INFO", ...sections);
  const lines = connection.parse(parseText, reply).split("\r\n");
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(":");
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
    }),
  );
}

/** Whether it has what Moonbridge needs; Valkey says the version of Redis that it is compatible with. */
export function isNewEnough(info: ServerInfo): boolean {
  return Number.parseInt(info.get("redis_version") ?? "", 10) >= 7;
}
