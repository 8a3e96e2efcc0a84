import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { loadAppConfig } from "../app/load-config.js";
import { serverUrl, toLocalUrl } from "../config/listen-address.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { printError, printLine } from "./print.js";

export type HealthOptions = { config?: string; port?: number; wait?: number };

const attemptTimeout = 3_000;
const pauseBetweenAttempts = 200;

/**
 * `moonbridge health`: whether the server of this configuration answers at its address; for the health checks of containers and
 * services. Exits with 1 if it does not, within `wait` seconds.
 */
export async function health({ config: file, port, wait = 0 }: HealthOptions): Promise<void> {
  const { server } = await loadAppConfig(
    { config: file, ...(port === undefined ? {} : { port }) },
    process.env,
  );
  const url = toLocalUrl(serverUrl(server));
  const deadline = Date.now() + wait * 1_000;
  // The server itself is asked, at an address of this machine: its certificate is for another name.
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    while (!(await answers(url, agent))) {
      if (Date.now() >= deadline) {
        printError(messages.nothingAt(url));
        process.exitCode = 1;
        return;
      }
      await sleep(pauseBetweenAttempts);
    }
    printLine(messages.answersAt(url));
  } finally {
    await agent.destroy();
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
