import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../../simulator/index.js";
import {
  createTemporaryFolder,
  type MoonbridgeProcess,
  runMoonbridge,
  writeConfig,
} from "../../cli/process.js";

const key = "sk-CANARY-hostile-bodies-0123456789";
const megabyte = 1_048_576;
/**
 * Upper bounds of `/healthz` in milliseconds, several times what an idle machine needs, since tests share theirs. Without
 * limits these bodies took from 5 seconds to minutes.
 */
const [besideOne, besideFifty] = [4_000, 8_000];

/** The program with a heap of 512 MB, connected to a simulator in this process. */
async function startSmallMoonbridge(): Promise<{
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
async function longestHealthCheck(prober: ChildProcess): Promise<number> {
  prober.send("longest");
  const [{ longest }] = await once(prober, "message");
  return longest;
}

/** Posts a chat completion; resolves to the status and the code of the error, if there is one. */
async function post(url: string, body: Buffer): Promise<string> {
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

const repeat = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length));
const list = (length: number, item: (index: number) => string) =>
  Array.from({ length }, (_, at) => item(at)).join();
const message = (content: string, role = "user") => `{"role":"${role}","content":${content}}`;
const chat = (messages: string, fields = "") => `{"model":"kimi","messages":[${messages}]${fields}}`;
const inMetadata = (value: string) => chat(message('"x"'), `,"metadata":{"a":${value}}`);
const inHistory = (text: string, role: string) =>
  chat(`${message('"x"')},${message(`"${text}"`, role)},${message('"x"')}`);
const picture = (bytes: number) =>
  chat(
    message(
      `[{"type":"image_url","image_url":{"url":"data:image/png;base64,${repeat("iVBORw0KGgoAAAAN", (bytes * 4) / 3)}"}}]`,
    ),
  );

const size = 43 * megabyte;
const invalid = "400 invalid_request";
const tooLong = "400 context_length_exceeded";
const hostileBodies: [name: string, expected: string, body: () => string][] = [
  ["open brackets", invalid, () => `{"messages":${"[".repeat(size)}`],
  ["nested brackets", invalid, () => inMetadata("[".repeat(size / 2) + "]".repeat(size / 2))],
  ["nested objects", invalid, () => inMetadata(repeat('{"a":', size))],
  ["empty objects", invalid, () => inMetadata(`[${repeat("{},", size)}1]`)],
  ["keys", invalid, () => inMetadata(`{${list(3_000_000, (at) => `"k${at}":1`)}}`)],
  ["short strings", invalid, () => inMetadata(`[${repeat('"ab",', size)}1]`)],
  ["numbers", invalid, () => inMetadata(`[${repeat("1.5,", size)}1]`)],
  ["tiny messages", invalid, () => chat(repeat(`${message('"a"')},`, size) + message('"a"'))],
  ["one digit after the other", invalid, () => chat(message('"x"'), `,"seed":${"1".repeat(size)}`)],
  ["a long text", tooLong, () => chat(message(`"${repeat("hello world ", 60 * megabyte)}"`))],
  ["a text of \\u escapes", tooLong, () => chat(message(`"${repeat("\\u5929", 60 * megabyte)}"`))],
  ["a text of \\u escapes of quotes", tooLong, () => chat(message(`"${repeat("\\u0022", 60 * megabyte)}"`))],
  ["a text of escaped quotes", tooLong, () => chat(message(`"${repeat('\\"', 60 * megabyte)}"`))],
  ["a long text with one wide character", tooLong, () => chat(message(`"${"a".repeat(60 * megabyte)}天"`))],
  ["a long answer in the history", tooLong, () => inHistory("b".repeat(60 * megabyte), "assistant")],
  [
    "a long system text of dates",
    tooLong,
    () => inHistory(repeat("1 2024-01-01 12:30 ", 60 * megabyte), "system"),
  ],
  ["unfinished citations", tooLong, () => inHistory(repeat("[1](http://", 2 * megabyte), "assistant")],
  [
    "unfinished lists of sources",
    tooLong,
    () => inHistory(repeat("\\n\\n**参考 / Sources**\\n\\n1. [](](", 2 * megabyte), "assistant"),
  ],
  ["a link of dots", "200", () => chat(message(`"http://${".".repeat(megabyte)}a"`))],
  [
    "a media type without end",
    invalid,
    () => chat(message(`[{"type":"image_url","image_url":{"url":"data:a/${"a".repeat(30 * megabyte)}"}}]`)),
  ],
  ["as many values as are taken", "200", () => inMetadata(`[${repeat("{},", 3 * 299_000)}1]`)],
  ["as many keys as are taken", "200", () => inMetadata(`{${list(299_000, (at) => `"k${at}":1`)}}`)],
  [
    "as many messages as are taken",
    "200",
    () => chat(`${repeat(`${message('"a"')},${message('"b"', "assistant")},`, 9_999 * 61)}${message('"x"')}`),
  ],
  ["a picture of 45 MB", "200", () => picture(45 * megabyte)],
];

test("no body keeps other requests waiting, or takes more than a heap of 512 MB", {
  timeout: 240_000,
}, async () => {
  const { url, gateway, prober } = await startSmallMoonbridge();
  const slow: string[] = [];
  for (const [name, expected, create] of hostileBodies) {
    const body = Buffer.from(create());
    await longestHealthCheck(prober);
    expect(`${name}: ${await post(url, body)}`).toBe(`${name}: ${expected}`);
    const longest = await longestHealthCheck(prober);
    if (longest > besideOne) slow.push(`${name}: ${Math.round(longest)} ms`);
  }
  expect(slow).toEqual([]);
  gateway.kill("SIGTERM");
  expect(await gateway.exit).toBe(0);
});

test.each([
  ["pictures of 20 MB", () => picture(20 * megabyte)],
  ["bodies of as many keys as are taken", () => inMetadata(`{${list(299_000, (at) => `"k${at}":1`)}}`)],
])(
  "fifty %s at once are answered, or told to come again, beside everything else",
  { timeout: 240_000 },
  async (_name, create) => {
    const { url, gateway, prober } = await startSmallMoonbridge();
    const body = Buffer.from(create());
    const small = Buffer.from(chat(message('"hello"')));
    await longestHealthCheck(prober);
    const responses = Array.from({ length: 50 }, () => post(url, body));
    expect(await post(url, small)).toBe("200");
    for (const response of await Promise.all(responses))
      expect(["200", invalid, "503 server_busy"]).toContain(response);
    expect(await longestHealthCheck(prober)).toBeLessThan(besideFifty);
    expect(await post(url, small)).toBe("200");
    gateway.kill("SIGTERM");
    expect(await gateway.exit).toBe(0);
  },
);
