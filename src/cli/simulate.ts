import {
  type Capability,
  capabilityNames,
  isCapability,
  isStrictness,
  RecordingError,
  type Strictness,
  startSimulator,
  strictnessNames,
} from "../../simulator/index.js";
import { toListenError } from "../config/listen-address.js";
import { ConfigError } from "../config/validate.js";
import { commandMessages } from "../i18n/command-messages.js";
import { printLine } from "./print.js";

type SimulateOptions = {
  port?: number;
  pace?: number;
  strictness?: string[];
  without?: string[];
  replay?: string;
};

/** `moonbridge simulate`: runs the simulator alone and prints a configuration that connects Moonbridge to it. */
export async function simulate(options: SimulateOptions): Promise<void> {
  const { port = 0, pace = 25, strictness = [], without = [], replay } = options;
  const simulator = await startSimulator({
    port,
    deltaMilliseconds: pace,
    strictness: strictness.map(checkStrictness),
    without: without.map(checkCapability),
    ...(replay === undefined ? {} : { replay }),
  }).catch((error: unknown) => {
    if (error instanceof RecordingError) throw new ConfigError(commandMessages.replayFailed(error.message));
    throw toListenError(error, { host: "127.0.0.1", port });
  });
  const { accessToken, refreshToken } = simulator.issue();
  const upstream = {
    name: "simulated",
    kind: "kimi-web",
    baseUrl: simulator.url,
    authUrl: simulator.url,
    accessToken,
    refreshToken,
  };
  printLine(commandMessages.simulatorConfig);
  process.stdout.write(`${JSON.stringify({ upstreams: [upstream] }, null, 2)}\n`);
  printLine(commandMessages.listening(simulator.url));
  const stop = () => {
    simulator.close().then(() => process.exit(0));
  };
  process.on("SIGHUP", () => {});
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function checkStrictness(name: string): Strictness {
  if (!isStrictness(name))
    throw new ConfigError(commandMessages.noSuchStrictness(name, strictnessNames.join(", ")));
  return name;
}

function checkCapability(name: string): Capability {
  if (!isCapability(name))
    throw new ConfigError(commandMessages.noSuchCapability(name, capabilityNames.join(", ")));
  return name;
}
