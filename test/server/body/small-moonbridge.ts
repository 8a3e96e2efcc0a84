import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { onTestFinished } from "vitest";
import { startSimulator } from "../../../simulator/index.js";
import {
  createTemporaryFolder,
  type MoonbridgeProcess,
  runMoonbridge,
  writeConfig,
} from "../../cli/process.js";

const key = "sk-CANARY-hostile-bodies-0123456789";
export const megabyte = 1_048_576;
/** The program with a heap of 512 MB, connected to a simulator in this process. */
export async function startSmallMoonbridge(): Promise<{
  url: string;
  gateway: MoonbridgeProcess;
  prober: ChildProcess;
}> {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const { accessToken, refreshToken } = simulator.issue();
  const addresses = { baseUrl: simulator.url, authUrl: simulator.url };
  const folder = createTemporaryFolder();
  writeConfig(folder, {
    keys: [{ name: "chat", key, scopes: ["chat"] }],
    upstreams: [{ name: "me", kind: "kimi-web", ...addresses, accessToken, refreshToken }],
    store: "sqlite:./state.db",
  });
  const environment = { NODE_OPTIONS: "--max-old-space-size=512", MOONBRIDGE_LOG_LEVEL: "warn" };
  const gateway = runMoonbridge(["--port", "0"], folder, environment);
  const url = await gateway.ready;
  const prober = fork(new URL("health-prober.mjs", import.meta.url).pathname, [url]);
  onTestFinished(() => void prober.kill());
  await longestHealthCheck(prober);
  return { url, gateway, prober };
}

/** The longest time of a health check since the last call, in milliseconds. */
export async function longestHealthCheck(prober: ChildProcess): Promise<number> {
  prober.send("longest");
  const [{ longest }] = await once(prober, "message");
  return longest;
}

/** Posts a chat completion; resolves to the status and the code of the error, if there is one. */
export async function post(url: string, body: Buffer): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, "content-length": body.length };
  const request = httpRequest(`${url}/v1/chat/completions`, { method: "POST", headers, agent: false });
  const response = once(request, "response");
  // The response to a refused body may come, and the connection be closed, before all of it is sent.
  response.then(() => request.on("error", () => {})).catch(() => {});
  request.end(body);
  const [message] = await response;
  let text = "";
  for await (const chunk of message) text += chunk;
  const { error } = JSON.parse(text);
  return error === undefined ? String(message.statusCode) : `${message.statusCode} ${error.code}`;
}

export const repeat = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length));
export const list = (length: number, item: (index: number) => string) =>
  Array.from({ length }, (_, at) => item(at)).join();
export const message = (content: string, role = "user") => `{"role":"${role}","content":${content}}`;
export const chat = (messages: string, fields = "") => `{"model":"kimi","messages":[${messages}]${fields}}`;
export const inMetadata = (value: string) => chat(message('"x"'), `,"metadata":{"a":${value}}`);
export const picture = (bytes: number) =>
  chat(
    message(
      `[{"type":"image_url","image_url":{"url":"data:image/png;base64,${repeat("iVBORw0KGgoAAAAN", (bytes * 4) / 3)}"}}]`,
    ),
  );
/** The answer to a body that no valid request has. */
export const invalid = "400 invalid_request";
