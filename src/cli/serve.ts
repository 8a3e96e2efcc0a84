import { Chat } from "../chat/chat.js";
import { ConfigError } from "../config/check.js";
import { type CommandLine, loadConfig } from "../config/load.js";
import type { Config, UpstreamConfig } from "../config/schema.js";
import { Drift } from "../observability/drift.js";
import { createLog } from "../observability/log.js";
import { createKey, KeyRing } from "../server/keys.js";
import { type RunningServer, startServer } from "../server/server.js";
import { FileStore } from "../store/file.js";
import type { Store } from "../store/store.js";
import { openUpstream } from "../upstreams/registry.js";

const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** `moonbridge serve`: everything from the configuration to the line that says it is ready. */
export async function serve(commandLine: CommandLine): Promise<void> {
  const config = await loadConfig(commandLine, process.env);
  const log = createLog(config.log.level);
  const store = await FileStore.open(config.storePath);
  const { keys, newKey } = await openKeys(config, store);

  const drift = new Drift((entry) => log.warn(entry, "Kimi sent something that Moonbridge does not know"));
  const warn = (message: string, error: unknown) => log.warn({ error }, message);
  const upstreams = await Promise.all(
    configuredUpstreams(config).map((upstream) => openUpstream(upstream, { store, drift, warn })),
  );
  const chat = new Chat(upstreams, config.routes);
  const server = await listen(config, () => startServer({ chat, keys, log, config: config.server }));

  // The catalogue and, where it is due, the login are renewed before the first person waits for them.
  void chat.models(new AbortController().signal);

  for (const warning of config.warnings) say(`note: ${warning}`);
  greet(
    server.url,
    upstreams.every((upstream) => upstream.simulated),
    newKey,
  );
  stopOnSignals(server, () => log.flush());
}

/** Without an account the simulator answers. */
function configuredUpstreams({ upstreams }: Config): UpstreamConfig[] {
  return upstreams.length > 0 ? upstreams : [{ name: "simulator", kind: "simulator" }];
}

/** The keys of config and store; the very first start makes one. */
async function openKeys(
  config: Config,
  store: Store,
): Promise<{ keys: KeyRing; newKey: string | undefined }> {
  const keys = new KeyRing(config.keys, await store.keys());
  if (!keys.isEmpty) return { keys, newKey: undefined };
  if (!loopback.test(config.server.host)) {
    throw new ConfigError(
      "server.host: Moonbridge listens beyond this machine only with an API key of yours. " +
        'Set "token" in the config or MOONBRIDGE_TOKEN to one.',
    );
  }
  const { key, stored } = createKey("first");
  await store.addKey(stored);
  return { keys: new KeyRing([], [stored]), newKey: key };
}

async function listen(config: Config, start: () => Promise<RunningServer>): Promise<RunningServer> {
  try {
    return await start();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const { host, port } = config.server;
    if (code === "EADDRINUSE") throw new ConfigError(`Port ${port} is in use. Choose another with --port.`);
    if (code === "EACCES")
      throw new ConfigError(`Port ${port} is not allowed here. Choose another with --port.`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
      throw new ConfigError(`server.host: ${host} is no address of this machine.`);
    }
    throw error;
  }
}

function greet(url: string, simulated: boolean, newKey: string | undefined): void {
  const key = newKey ?? "$MOONBRIDGE_KEY";
  if (simulated) {
    say("No Kimi account is connected: the built-in SIMULATOR answers. README.md shows how to connect one.");
  }
  if (newKey) say(`API key (shown once, only its hash is kept): ${newKey}`);
  else say("API key: the one in your config, or the one that was shown at the first start.");
  say(
    `Try it:\n  curl -N ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' \\\n` +
      `    -H 'Content-Type: application/json' \\\n` +
      `    -d '{"model":"kimi","stream":true,"messages":[{"role":"user","content":"你好！"}]}'`,
  );
  say(`listening on ${url}`);
}

/** The first signal lets streams finish, the second does not. */
function stopOnSignals(server: RunningServer, flush: () => void): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    say("stopping: open streams may finish; press Ctrl+C again to stop at once");
    server.stop().then(
      () => {
        flush();
        process.exit(0);
      },
      () => process.exit(1),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
