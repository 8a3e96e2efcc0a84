import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { upstreamSchemas } from "../../src/config/upstream-schema.js";
import { asObject, asText, parseObject } from "../../src/lib/json.js";
import { orderLine } from "../answers/order.js";
import { accessToken, refreshToken } from "../answers/tokens.js";
import { Child } from "../child.js";
import { type DialectName, dialects } from "../load/dialects.js";
import type { Reading, Target } from "../load/work.js";
import { untilReady } from "../ready.js";
import { modulePath, type Stage } from "../stage.js";
import { type Candidate, type Running, Skipped } from "./candidate.js";

/** The gateway's key in the benchmark. */
export const apiKey = "bench-key";

type Kind = "kimi-web" | "kimi-legacy" | "openai";

/** Every upstream in the first dialect, and every dialect on the first upstream. */
export const moonbridges: readonly Candidate[] = [
  moonbridge("kimi-web", "chat"),
  moonbridge("kimi-legacy", "chat"),
  moonbridge("openai", "chat"),
  moonbridge("kimi-web", "responses"),
  moonbridge("kimi-web", "messages"),
];

/** Another build of Moonbridge, by its `dist` folder. */
export function baseline(build: string): Candidate {
  return { ...moonbridge("kimi-web", "chat", resolve(build)), name: "Moonbridge, the baseline" };
}

function moonbridge(kind: Kind, dialect: DialectName, build?: string): Candidate {
  return {
    name: `Moonbridge ${kind} · ${dialect}`,
    start: async (stage) => {
      const gateway = await startGateway(stage, kind, build === undefined ? {} : { build });
      const running = {
        child: gateway.child,
        watched: true,
        streams: targetOf(gateway.port, dialect, true, readingOf(kind, dialect)),
        whole: targetOf(gateway.port, dialect, false, { kind: "whole", dialect }),
      };
      await checkDialect(running, dialect);
      return running;
    },
  };
}

/** Where the bytes can be foretold, every one is checked; a service's own chunks are passed on as they are. */
function readingOf(kind: Kind, dialect: DialectName): Reading {
  return kind !== "openai" && dialect === "chat" ? { kind: "chunks" } : { kind: "events", dialect };
}

export function targetOf(port: number, dialect: DialectName, stream: boolean, reading: Reading): Target {
  const { path, body } = dialects[dialect];
  const [before = "", behind = ""] = JSON.stringify(body("kimi", "<order>", stream)).split("<order>");
  return { port, path, headers: clientHeaders, body: [before, behind], framed: false, reading };
}

const clientHeaders = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };

export type Gateway = { child: Child; port: number };

export type GatewayOptions = {
  /** Where its configuration and its store lie; a new one if none is given. */
  folder?: string;
  /** The `dist` folder of another build than this one. */
  build?: string;
};

/** The built gateway as `npm start` runs it, in front of the fake upstream. */
export async function startGateway(
  stage: Stage,
  kind: Kind = "kimi-web",
  options: GatewayOptions = {},
): Promise<Gateway> {
  const folder = options.folder ?? stage.room("moonbridge");
  writeFileSync(join(folder, "config.json"), JSON.stringify(configuration(kind, stage.fakePort)));
  const build = options.build ?? modulePath("..");
  const child = Child.module(join(build, "src/cli/main.js"), ["serve"], {
    nodeArguments: [...startFlags(), "--import", modulePath("./gateway-preload.js")],
    environment: stage.profiles ? { MOONBRIDGE_BENCH_PROFILES: stage.profiles } : {},
    cwd: folder,
    log: join(folder, "log"),
  });
  const port = await listening(child);
  await untilReady(child, `http://127.0.0.1:${port}/readyz`);
  return { child, port };
}

/** What `npm start` tells Node. */
function startFlags(): string[] {
  const described = parseObject(readFileSync(modulePath("../../package.json"), "utf8"));
  const start = asText(asObject(described?.scripts)?.start) ?? "";
  return start.split(" ").filter((word) => word.startsWith("--"));
}

/** Only what this version knows; a kind that it does not know is left out with a sentence. */
function configuration(kind: Kind, fakePort: number): object {
  const fake = `http://127.0.0.1:${fakePort}`;
  const schema = Object.entries(upstreamSchemas).find(([name]) => name === kind)?.[1];
  if (!schema) throw new Skipped(`this version has no upstream of the kind ${kind}`);
  const settings = {
    baseUrl: kind === "openai" ? `${fake}/v1` : fake,
    authUrl: fake,
    accessToken,
    refreshToken,
    apiKey: "bench-service-key",
    concurrency: 10_000,
  };
  const properties = new Map<string, { readonly maximum?: unknown }>(Object.entries(schema.properties));
  const known = Object.entries(settings).flatMap(([name, value]) => {
    const maximum = properties.get(name)?.maximum;
    if (!properties.has(name)) return [];
    return [
      [name, typeof value === "number" && typeof maximum === "number" ? Math.min(value, maximum) : value],
    ];
  });
  return {
    token: apiKey,
    server: { port: 0 },
    upstreams: [{ name: "kimi", kind, ...Object.fromEntries(known) }],
  };
}

async function listening(child: Child): Promise<number> {
  for (;;) {
    const port = /^listening on http:\S+:(\d+)$/m.exec(child.output())?.[1];
    if (port !== undefined) return Number(port);
    if (child.exited) throw new Error(`the gateway has ended: ${child.output()}`);
    await setTimeout(2);
  }
}

async function checkDialect({ streams, child }: Running, dialect: DialectName): Promise<void> {
  const { port, path, headers, body } = streams;
  const order = orderLine({ number: 0, pace: 0, deltas: 1 });
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers,
    body: body.join(order),
  });
  const answer = await response.text();
  if (response.status === 200) return;
  await child?.stop();
  if (response.status === 404) throw new Skipped(`this version does not speak the dialect ${dialect}`);
  throw new Error(`the gateway answered ${response.status}: ${answer.slice(0, 500)}`);
}
