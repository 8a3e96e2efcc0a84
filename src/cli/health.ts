import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { loadAppConfig } from "../app/load-config.js";
import { serverUrl, toLocalUrl } from "../config/listen-address.js";
import { ServerSchema } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { printError, printLine } from "./print.js";

export type HealthOptions = { config?: string; port?: number; wait?: number };

const attemptTimeout = 3_000;
const pauseBetweenAttempts = 200;
const defaultPort = ServerSchema.properties.port.default;

/**
 * `moonbridge health`: whether the server of this configuration answers at its address; for the health checks of containers and
 * services. Exits with 1 if it does not, within `wait` seconds.
 */
export async function health({ wait = 0, ...options }: HealthOptions): Promise<void> {
  const urls = await candidateUrls(options);
  const deadline = Date.now() + wait * 1_000;
  // The server itself is asked, at an address of this machine: its certificate is for another name.
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    for (;;) {
      for (const url of urls) if (await answers(url, agent)) return printLine(messages.answersAt(url));
      if (Date.now() >= deadline) break;
      await sleep(pauseBetweenAttempts);
    }
    printError(messages.nothingAt(urls.join(", ")));
    process.exitCode = 1;
  } finally {
    await agent.destroy();
  }
}

/**
 * Where the server may listen. A running server keeps the configuration before an invalid one, and must not count as dead for
 * that: then it is looked for at the port of the command line, of PORT or of the default, with and without TLS.
 */
async function candidateUrls({ config, port }: Omit<HealthOptions, "wait">): Promise<string[]> {
  try {
    const commandLine = { config, ...(port === undefined ? {} : { port }) };
    const { server } = await loadAppConfig(commandLine, process.env);
    return [toLocalUrl(serverUrl(server))];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printError(error.text);
    const { PORT } = process.env;
    const likely = port ?? (PORT !== undefined && /^\d{1,5}$/.test(PORT) ? Number(PORT) : defaultPort);
    return [`http://127.0.0.1:${likely}`, `https://127.0.0.1:${likely}`];
  }
}

async function answers(url: string, dispatcher: Agent): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(attemptTimeout);
    const { statusCode, body } = await request(`${url}/healthz`, { dispatcher, signal });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
