import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BenchProcess } from "./bench-process.js";
import { type DialectName, dialects } from "./dialects.js";
import { apiKey } from "./load.js";

/** A row of the tables: what stands between the load client and the upstream. */
export type Row = {
  name: string;
  dialect: DialectName;
  /** Whether it is Moonbridge over `kimi-web`, for the parts that are about Moonbridge alone. */
  isMain?: boolean;
  start(context: RowContext): Promise<Started>;
};
type MeasuredProcess = Pick<BenchProcess, "cpuTime" | "memory" | "openFiles" | "stop">;
/** `process` is undefined where the client asks the upstream itself. */
type Started = { port: number; process: MeasuredProcess | undefined };
export type RunningRow = Row & Started;
/** `folder`: for files of this run; `profile`: whether gateways write CPU profiles; `variables`: of gateways. */
export type RowContext = {
  upstream: Started & { process: BenchProcess };
  folder: string;
  profile: boolean;
  variables?: Record<string, string>;
};

/** The limits of load client and upstream; what a row adds to the first delta is counted from it. */
export const noGateway: Row = {
  dialect: "chat",
  name: "no gateway",
  start: async ({ upstream: { port } }) => ({ port, process: undefined }),
};

/** nginx, if it is installed, with buffering off. */
export const nginx: Row = {
  dialect: "chat",
  name: "nginx proxy_pass",
  start: (context) => balance([context.upstream.port], context),
};

let ports = 20_000 + (process.pid % 10_000);

/** A port for a program that does not say which one it got; the next one is another. */
export function nextPort(): number {
  ports += 1;
  return ports;
}

/** nginx before these ports of 127.0.0.1. */
export async function balance(targets: readonly number[], context: RowContext) {
  execFileSync("nginx", ["-v"], { stdio: "ignore" });
  const [folder, port] = [createFolder(context), nextPort()];
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const servers = targets.map((each) => `server 127.0.0.1:${each};`).join(" ");
  const config = `daemon off; master_process off; pid nginx.pid; error_log stderr crit; worker_rlimit_nofile 40000;
events { worker_connections 20000; }
http {
  access_log off; keepalive_timeout 600s; keepalive_requests 100000000;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
  upstream kimi { ${servers} keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    location / { proxy_pass http://kimi; }
  }
}`;
  writeFileSync(join(folder, "nginx.conf"), config);
  const started = new BenchProcess("nginx", ["-p", folder, "-c", "nginx.conf"], folder);
  await setTimeout(1_000);
  return { port, process: started };
}

export const naiveRelay: Row = {
  dialect: "chat",
  name: "naive Node relay",
  start: (context) =>
    startNode([`${import.meta.dirname}/naive-relay.js`, `${context.upstream.port}`], createFolder(context)),
};

/** Moonbridge over each kind of upstream and in each dialect. `root`: the folder of its package, built. */
export function moonbridgeRows(root: string, prefix = "Moonbridge"): Row[] {
  return (["kimi-web", "kimi-legacy", "openai"] as const).flatMap((kind) =>
    (Object.keys(dialects) as DialectName[]).map((dialect) => ({
      name: `${prefix} ${kind} · ${dialect}`,
      dialect,
      isMain: kind === "kimi-web" && dialect === "chat",
      start: (context) => startGateway(root, kind, context),
    })),
  );
}

/** Starts a gateway with the flags of `npm start`. */
export async function startGateway(root: string, kind: string, context: RowContext) {
  const folder = createFolder(context);
  const origin = `http://127.0.0.1:${context.upstream.port}`;
  const tokens = { baseUrl: origin, accessToken: kimiToken("access"), refreshToken: kimiToken("refresh") };
  const service = { baseUrl: `${origin}/v1`, apiKey: "bench-service-key" };
  const web = kind === "kimi-web" ? { authUrl: origin } : {};
  const account = kind === "openai" ? service : { ...tokens, ...web };
  const upstreams = [{ name: "kimi", kind, concurrency: 10_000, ...account }];
  const config = { token: apiKey, server: { port: 0 }, upstreams };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const profiles = resolve("bench/results/profiles");
  if (context.profile) mkdirSync(profiles, { recursive: true });
  const startScript: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts.start;
  const flags = startScript.split(" ").filter((word) => word.startsWith("--"));
  if (context.profile) flags.push("--cpu-prof", `--cpu-prof-dir=${profiles}`);
  const program = join(root, "dist/src/cli/main.js");
  const started = await startNode([...flags, program, "serve"], folder, context.variables);
  while ((await fetch(`http://127.0.0.1:${started.port}/readyz`)).status !== 200) await setTimeout(10);
  return started;
}

/** A token with the claims that Moonbridge reads (kimi-web.md §2.3), without a valid signature. */
function kimiToken(typ: string): string {
  const iat = Math.floor(Date.now() / 1_000);
  const exp = iat + 30 * 86_400;
  const claims = { iss: "account", aud: ["kimi.com"], typ, app_id: "kimi", sub: "u", iat, exp };
  const json = [{ alg: "HS512", typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)));
  return [...json, Buffer.alloc(64, "bench")].map((bytes) => bytes.toString("base64url")).join(".");
}

/** Starts a program that prints its port. */
export async function startNode(args: readonly string[], folder: string, variables?: Record<string, string>) {
  const started = new BenchProcess(process.execPath, args, folder, variables);
  return { port: await started.port(), process: started };
}

function createFolder({ folder }: RowContext): string {
  return mkdtempSync(join(folder, "process-"));
}
