import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { probeMessages as messages } from "../i18n/probe-messages.js";
import { ProtocolDrift } from "../observability/protocol-drift.js";
import { openStore } from "../store/open-store.js";
import { kimiWeb } from "../upstreams/kimi-web/kind.js";
import {
  probeMessages as messageCount,
  type ProbeResult,
  runProbe,
} from "../upstreams/kimi-web/probe/run-probe.js";
import { KimiWeb } from "../upstreams/kimi-web/upstream.js";
import { configuredUpstreams } from "./configured-upstreams.js";

/** `account`: the name of its upstream; undefined for the only one. */
export type ProbeAccountOptions = { account: string | undefined; pause: number; signal: AbortSignal };

/** What a probe is about to do, and its results. */
export type PreparedProbe = {
  account: string;
  /** How many messages it sends. */
  messages: number;
  run(): AsyncGenerator<ProbeResult>;
};

export type { ProbeResult };

/** Prepares the probe of an account; nothing is sent before `run`. Throws ConfigError if there is no such account. */
export async function withProbe(
  config: Config,
  { account, pause, signal }: ProbeAccountOptions,
  task: (probe: PreparedProbe) => Promise<void>,
): Promise<void> {
  const store = await openStore(config);
  try {
    const accounts = (await configuredUpstreams(config, store)).filter(kimiWeb.is);
    const named = accounts.filter(({ name }) => account === undefined || name === account);
    const [chosen, other] = named;
    const names = accounts.map(({ name }) => name).join(", ");
    if (!chosen)
      throw new ConfigError(accounts.length === 0 ? messages.noAccount : messages.whichAccount(names));
    if (other) throw new ConfigError(messages.whichAccount(names));
    const upstream = await kimiWeb.open(chosen, {
      store,
      drift: new ProtocolDrift(),
      warn: () => {},
      chooseProxy: config.proxies.chooseFor(chosen.proxy),
    });
    try {
      if (!(upstream instanceof KimiWeb)) throw new Error("an upstream of another kind");
      await task({
        account: chosen.name,
        messages: messageCount,
        run: () => runProbe(upstream, { store, pause, signal }),
      });
    } finally {
      await upstream.close();
    }
  } finally {
    await store.close();
  }
}
