import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Bench } from "../bench.js";
import { BenchProcess } from "../bench-process.js";
import { type Column, compare, cpuPerAnswer } from "../comparison.js";
import { balance, nextPort, type Row, type RowContext, startGateway } from "../rows.js";
import type { Table } from "../table.js";

const encryptionKey = Buffer.alloc(32, "bench").toString("base64");

/** What several processes on one Redis behind nginx cost, beside one on SQLite behind the same nginx. */
export async function replicas(bench: Bench): Promise<Table[]> {
  const single = replicaRow("1 process, SQLite", 1, false);
  const rows = [single, ...[1, 2, 4].map((count) => replicaRow(`${count} on Redis`, count, true))];
  const own = new Bench(bench.settings, rows, bench.context);
  const columns: Column[] = [
    { title: "CPU per request, µs", metric: cpuPerAnswer },
    { title: "× SQLite", metric: cpuPerAnswer, over: single.name },
    { title: "requests/s", metric: ({ answers, seconds }) => answers / seconds },
    { title: "deltas/s", metric: ({ deltas, seconds }) => deltas / seconds },
  ];
  const load = { streams: 50, pace: 0, deltas: 8, rampUp: 100 };
  const title = "Replicas: 50 clients, 8 deltas an answer; CPU of the gateways, nginx and Redis together";
  return [await compare(own, title, load, columns)];
}

/** nginx before so many gateways with one store. */
function replicaRow(name: string, count: number, isShared: boolean): Row {
  return {
    ...{ name, dialect: "chat" },
    start: async (context) => {
      const redis = isShared ? await startRedis(context) : undefined;
      const variables = redis
        ? { MOONBRIDGE_STORE: `redis://127.0.0.1:${redis.port}`, MOONBRIDGE_ENCRYPTION_KEY: encryptionKey }
        : {};
      const root = join(import.meta.dirname, "../../..");
      const start = () => startGateway(root, "kimi-web", { ...context, variables });
      const gateways = await Promise.all(Array.from({ length: count }, start));
      const front = await balance(
        gateways.map(({ port }) => port),
        context,
      );
      const processes = [front.process, ...gateways.map(({ process }) => process), redis?.process];
      return { port: front.port, process: new ProcessGroup(processes.filter((each) => each !== undefined)) };
    },
  };
}

async function startRedis({ folder }: RowContext): Promise<{ port: number; process: BenchProcess }> {
  execFileSync("redis-server", ["--version"], { stdio: "ignore" });
  const own = mkdtempSync(join(folder, "redis-"));
  const port = nextPort();
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: own,
    appendonly: "yes",
    appendfsync: "everysec",
    save: '""',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${value}`);
  writeFileSync(join(own, "redis.conf"), lines.join("\n"));
  const started = new BenchProcess("redis-server", ["redis.conf"], own);
  await setTimeout(500);
  return { port, process: started };
}

/** Several processes, measured as one. */
class ProcessGroup {
  readonly #processes: readonly BenchProcess[];

  constructor(processes: readonly BenchProcess[]) {
    this.#processes = processes;
  }

  cpuTime(): number {
    return this.#sum((each) => each.cpuTime());
  }

  memory(): number {
    return this.#sum((each) => each.memory());
  }

  openFiles(): number {
    return this.#sum((each) => each.openFiles());
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()));
  }

  #sum(measure: (process: BenchProcess) => number): number {
    return this.#processes.reduce((sum, each) => sum + measure(each), 0);
  }
}
