import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { asObject, asText, parseObject } from "../../src/lib/json.js";
import { upstreamKinds } from "../../src/upstreams/registry.js";
import { formatAnswerSpec } from "../answers/answer-spec.js";
import { accessToken, refreshToken } from "../answers/tokens.js";
import { Child } from "../child.js";
import { type BenchEnvironment, modulePath } from "../environment.js";
import { type DialectName, dialects } from "../load/dialects.js";
import type { ResponseFormat, Target } from "../load/load-profile.js";
import { waitUntilReady } from "../ready.js";
import { type Candidate, CandidateUnavailable, type RunningCandidate } from "./candidate.js";

/** The gateway's API key in the benchmark. */
export const apiKey = "bench-key";

type UpstreamKind = "kimi-web" | "kimi-legacy" | "openai";

/** Moonbridge with each upstream kind in the dialect `chat`, and with each dialect on the upstream `kimi-web`. */
export const moonbridgeCandidates: readonly Candidate[] = [
  moonbridgeCandidate("kimi-web", "chat"),
  moonbridgeCandidate("kimi-legacy", "chat"),
  moonbridgeCandidate("openai", "chat"),
  moonbridgeCandidate("kimi-web", "responses"),
  moonbridgeCandidate("kimi-web", "messages"),
];

/** Another build of Moonbridge, by its `dist` folder. */
export function baselineCandidate(distFolder: string): Candidate {
  return {
    ...moonbridgeCandidate("kimi-web", "chat", resolve(distFolder)),
    name: "Moonbridge, the baseline",
  };
}

function moonbridgeCandidate(kind: UpstreamKind, dialect: DialectName, distFolder?: string): Candidate {
  return {
    name: `Moonbridge ${kind} · ${dialect}`,
    start: async (environment) => {
      const gateway = await startGateway(environment, kind, distFolder === undefined ? {} : { distFolder });
      const running = {
        child: gateway.child,
        reportsEventLoop: true,
        streaming: gatewayTarget(gateway.port, dialect, true, responseFormatFor(kind, dialect)),
        nonStreaming: gatewayTarget(gateway.port, dialect, false, { kind: "json", dialect }),
      };
      await requireDialect(running, dialect);
      return running;
    },
  };
}

/** Chat chunks that the gateway encodes are validated byte by byte, all other responses by their text and last event. */
function responseFormatFor(kind: UpstreamKind, dialect: DialectName): ResponseFormat {
  return kind !== "openai" && dialect === "chat" ? { kind: "chat-chunks" } : { kind: "events", dialect };
}

/** A target of the gateway at this port, with the gateway's API key. */
export function gatewayTarget(
  port: number,
  dialect: DialectName,
  stream: boolean,
  responseFormat: ResponseFormat,
): Target {
  const { path, body } = dialects[dialect];
  const [before = "", after = ""] = JSON.stringify(body("kimi", "<spec>", stream)).split("<spec>");
  return {
    port,
    path,
    headers: clientHeaders,
    body: [before, after],
    enveloped: false,
    responseFormat,
  };
}

const clientHeaders = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };

/** A running gateway and its port on 127.0.0.1. */
export type GatewayProcess = { child: Child; port: number };

/** Options of `startGateway`. */
export type GatewayOptions = {
  /** The folder of the configuration and the store; by default a new one. */
  workDirectory?: string;
  /** The `dist` folder of the build to start; by default this one. */
  distFolder?: string;
};

/** Starts a built gateway with the flags of `npm start`, with the fake upstream as its only upstream. Resolves when ready. */
export async function startGateway(
  environment: BenchEnvironment,
  kind: UpstreamKind = "kimi-web",
  options: GatewayOptions = {},
): Promise<GatewayProcess> {
  const workDirectory = options.workDirectory ?? environment.createWorkDirectory("moonbridge");
  writeFileSync(
    join(workDirectory, "config.json"),
    JSON.stringify(gatewayConfig(kind, environment.fakeUpstreamPort)),
  );
  const distFolder = options.distFolder ?? modulePath("..");
  const child = Child.fork(join(distFolder, "src/cli/main.js"), ["serve"], {
    nodeArguments: [...npmStartFlags(), "--import", modulePath("./gateway-preload.js")],
    env: environment.profileFolder ? { MOONBRIDGE_BENCH_PROFILES: environment.profileFolder } : {},
    cwd: workDirectory,
    log: join(workDirectory, "log"),
  });
  const port = await waitForPort(child);
  await waitUntilReady(child, `http://127.0.0.1:${port}/readyz`);
  return { child, port };
}

/** The flags of Node in the script `start` of package.json. */
function npmStartFlags(): string[] {
  const manifest = parseObject(readFileSync(modulePath("../../package.json"), "utf8"));
  const startScript = asText(asObject(manifest?.scripts)?.start) ?? "";
  return startScript.split(" ").filter((word) => word.startsWith("--"));
}

/**
 * The gateway's configuration; settings that this version does not have are left out. Throws CandidateUnavailable if this
 * version does not have the upstream kind.
 */
function gatewayConfig(kind: UpstreamKind, fakeUpstreamPort: number): object {
  const fakeUrl = `http://127.0.0.1:${fakeUpstreamPort}`;
  const schema = upstreamKinds.find((each) => each.kind === kind)?.schema;
  if (!schema) throw new CandidateUnavailable(`this version has no upstream of the kind ${kind}`);
  const settings = {
    baseUrl: kind === "openai" ? `${fakeUrl}/v1` : fakeUrl,
    authUrl: fakeUrl,
    accessToken,
    refreshToken,
    apiKey: "bench-service-key",
    concurrency: 10_000,
  };
  const properties = new Map(Object.entries(schema.properties));
  const knownSettings = Object.entries(settings).flatMap(([name, value]) => {
    const maximum = properties.get(name)?.maximum;
    if (!properties.has(name)) return [];
    return [
      [name, typeof value === "number" && typeof maximum === "number" ? Math.min(value, maximum) : value],
    ];
  });
  return {
    token: apiKey,
    server: { port: 0 },
    upstreams: [{ name: "kimi", kind, ...Object.fromEntries(knownSettings) }],
  };
}

async function waitForPort(child: Child): Promise<number> {
  for (;;) {
    const port = /^listening on http:\S+:(\d+)$/m.exec(child.outputTail())?.[1];
    if (port !== undefined) return Number(port);
    if (child.exited) throw new Error(`the gateway has ended: ${child.outputTail()}`);
    await setTimeout(2);
  }
}

/** Throws CandidateUnavailable if the gateway does not serve the dialect. */
async function requireDialect({ streaming, child }: RunningCandidate, dialect: DialectName): Promise<void> {
  const { port, path, headers, body } = streaming;
  const spec = formatAnswerSpec({ number: 0, pace: 0, deltas: 1 });
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers,
    body: body.join(spec),
  });
  const responseBody = await response.text();
  if (response.status === 200) return;
  await child?.stop();
  if (response.status === 404)
    throw new CandidateUnavailable(`this version does not speak the dialect ${dialect}`);
  throw new Error(`the gateway answered ${response.status}: ${responseBody.slice(0, 500)}`);
}
