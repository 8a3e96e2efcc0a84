import { createServer } from "node:net";
import { Agent, request } from "undici";
import { isLoopback, serverUrl, toListenError, toLocalUrl } from "../../config/listen-address.js";
import type { Config } from "../../config/schema.js";
import { limits } from "../../core/limits.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { errorCode } from "../../lib/error-code.js";
import { asText, type JsonObject, parseObject } from "../../lib/json.js";
import { describeFailure, type Finding } from "./finding.js";

const what = doctorMessages.subjects.address;

/**
 * Checks who can reach the address, and whether each port is free or a Moonbridge already listens there. `hasAccount`:
 * whether this configuration and its store have an account, so that a Moonbridge there must not answer with the simulator.
 */
export async function checkAddress(
  { server }: Pick<Config, "server">,
  hasAccount: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { host, port, alsoListen } = server;
  const urlAt = (each: number) => serverUrl({ ...server, port: each });
  const url = urlAt(port);
  const exposureFindings: Finding[] =
    isLoopback(host) || server.tls
      ? []
      : [
          {
            what,
            state: "warn",
            detail: doctorMessages.exposed(url),
            remedy: doctorMessages.putTlsInFront,
          },
        ];
  const checks = [port, ...alsoListen].map((each) =>
    checkPort({ server, port: each, url: urlAt(each) }, hasAccount, signal),
  );
  return [...(await Promise.all(checks)), ...exposureFindings];
}

async function checkPort(
  { server, port, url }: { server: Config["server"]; port: number; url: string },
  hasAccount: boolean,
  signal: AbortSignal,
): Promise<Finding> {
  if (port === 0) return { what, state: "ok", detail: doctorMessages.anyFreePort(server.host) };
  const error = await tryToListen(server.host, port);
  if (error === undefined) return { what, state: "ok", detail: doctorMessages.portIsFree(url) };
  const running = errorCode(error) === "EADDRINUSE" ? await moonbridgeAt(toLocalUrl(url), signal) : undefined;
  if (running !== undefined) {
    const simulates = hasAccount && running.simulated;
    const detail = doctorMessages.alreadyRunning(running.version, url, simulates);
    if (!simulates) return { what, state: "ok", detail };
    return { what, state: "warn", detail, remedy: doctorMessages.restartIt };
  }
  return { what, state: "fail", detail: describeFailure(toListenError(error, server)) };
}

function tryToListen(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * The Moonbridge that answers at `url`; undefined for any other program. `simulated`: nothing but the simulator answers
 * there.
 */
async function moonbridgeAt(
  url: string,
  signal: AbortSignal,
): Promise<{ version: string; simulated: boolean } | undefined> {
  const response = await getObject(`${url}/`, signal);
  const version = asText(response?.version) ?? "";
  if (response?.name !== "moonbridge" || !/^[\w.+-]{1,40}$/.test(version)) return undefined;
  return { version, simulated: response.simulated === true };
}

/** The JSON object at an address, whatever its status; undefined if there is none. */
async function getObject(url: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  // The certificate of a Moonbridge is for the names that its clients use, not for this machine's address.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const probeSignal = AbortSignal.any([signal, AbortSignal.timeout(limits.doctorProbe)]);
    const { body } = await request(url, { signal: probeSignal, dispatcher });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limits.unaryBody) return undefined;
    }
    return parseObject(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  } finally {
    dispatcher.destroy().catch(() => {});
  }
}
