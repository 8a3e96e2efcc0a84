import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ConfigReloader } from "../../src/app/config-reloader.js";
import { loadAppConfig } from "../../src/app/load-config.js";
import { createLog } from "../../src/observability/log.js";
import { contentOf, parseChunks, startGateway, waitUntil } from "../gateway.js";
import { platformKey } from "../upstreams/openai/scripted-platform.js";
import { halves, startHeldPlatform, startStream } from "./held-streams.js";

const keyOf = (name: string) => `sk-CANARY-${name}-0123456789`;
const key = (name: string) => ({ name, key: keyOf(name), scopes: ["chat", "admin"] });
const simulator = { name: "me", kind: "simulator" };

/** A gateway whose configuration is a file that is watched. */
async function startWatched(config: object) {
  const gateway = await startGateway({ logLevel: "warn" });
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-reload-"));
  const path = join(folder, "config.json");
  const write = (content: object | string) =>
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  write(config);
  const lines: string[] = [];
  const loaded = await loadAppConfig({ config: path }, {});
  await gateway.replaceConfig(loaded);
  const reloader = new ConfigReloader({
    config: loaded,
    load: () => loadAppConfig({ config: path }, {}),
    replace: gateway.replaceConfig,
    log: createLog("info", { write: (line: string) => lines.push(JSON.parse(line).msg) }),
    interval: 10,
  });
  onTestFinished(() => reloader.stop());
  const opens = async (name: string) => {
    const headers = { authorization: `Bearer ${keyOf(name)}` };
    return (await fetch(`${gateway.url}/v1/models`, { headers })).ok;
  };
  const logged = (text: string) => waitUntil(() => lines.some((line) => line.includes(text)));
  return { gateway, folder, path, write, reloader, opens, lines, logged };
}

test("a changed file takes effect, an invalid one is refused once and the one before stays", async () => {
  const { write, opens, lines, logged } = await startWatched({ upstreams: [simulator], keys: [key("old")] });
  expect(await opens("old")).toBe(true);
  write({ upstreams: [simulator], keys: [key("new"), { ...key("other"), name: 7 }] });
  await logged("the new configuration is refused and the one before stays: keys[1].name: expected");
  expect([await opens("old"), await opens("new")]).toEqual([true, false]);
  write({ upstreams: [simulator], keys: [key("new")] });
  await logged("changed settings of the configuration are in force");
  expect([await opens("old"), await opens("new")]).toEqual([false, true]);
  expect(lines).toHaveLength(2);
});

test("a file that goes changes nothing, and is read when it is back", async () => {
  const { path, write, opens, logged } = await startWatched({ upstreams: [simulator], keys: [key("old")] });
  rmSync(path);
  await logged("there is no such file");
  expect(await opens("old")).toBe(true);
  write({ upstreams: [simulator], keys: [key("new")] });
  await logged("in force");
  expect([await opens("old"), await opens("new")]).toEqual([false, true]);
});

test("a setting that needs a restart is named, once for each change", async () => {
  const config = { upstreams: [simulator], keys: [key("old")] };
  const { write, lines, logged, gateway } = await startWatched(config);
  write({ ...config, server: { port: 1_234 }, store: "sqlite:other.db", log: { level: "error" } });
  await logged("in force");
  expect(lines).toContain("server.port has changed: takes effect after a restart");
  expect(lines).toContain("store has changed: takes effect after a restart");
  lines.length = 0;
  write({ ...config, server: { port: 1_234 }, store: "sqlite:other.db" });
  await logged("in force");
  expect(lines).toHaveLength(1);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
});

test("a reload on request says that nothing has changed, and why a configuration is refused", async () => {
  const { write, lines, reloader } = await startWatched({ upstreams: [simulator], keys: [key("old")] });
  await reloader.reload();
  expect(lines).toEqual(["the configuration was read again: nothing has changed"]);
  write("{");
  await reloader.reload();
  await reloader.reload();
  expect(lines.filter((line) => line.includes("is not JSON"))).toHaveLength(2);
});

test("a certificate that is renewed takes effect once its key is there as well", async () => {
  const fixture = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-reload-"));
  const renew = (file: string, name: string) => writeFileSync(join(folder, file), fixture(`${name}-${file}`));
  const files = { certificate: join(folder, "certificate"), key: join(folder, "key") };
  for (const file of ["certificate", "key"]) renew(file, "one");
  const config = { upstreams: [simulator], keys: [key("old")], server: { tls: files } };
  const { lines, logged } = await startWatched(config);
  renew("certificate", "other");
  await logged("does not belong to the first certificate");
  renew("key", "other");
  await logged("in force");
  expect(lines).toHaveLength(2);
});

const rounds = 50;

test("fifty changes of the file under two hundred streams drop none of them", {
  timeout: 120_000,
}, async () => {
  const { platform, release } = await startHeldPlatform();
  const upstream = (round: number) => ({
    ...{ name: `platform-${round}`, kind: "openai", baseUrl: platform.url, apiKey: platformKey },
    concurrency: 1_000,
  });
  const configOf = (round: number) => ({
    upstreams: [upstream(round), { ...upstream(round), name: "stays" }],
    keys: [key(`round-${round}`), { name: "test", key: "sk-CANARY-key", scopes: ["chat", "admin"] }],
    routes: { asked: [`platform-${round}`] },
    queue: { depth: round },
  });
  const { gateway, folder, path, write, opens, lines } = await startWatched(configOf(0));
  const real = join(folder, "mounted");
  /** The ways in which a file gets another content. */
  const ways = [
    (text: string) => write(text),
    (text: string) => {
      writeFileSync(join(folder, "next"), text);
      renameSync(join(folder, "next"), path);
    },
    (text: string) => {
      mkdirSync(real, { recursive: true });
      const target = join(real, `${mountNumber++}.json`);
      writeFileSync(target, text);
      symlinkSync(target, join(folder, "link"));
      renameSync(join(folder, "link"), path);
    },
    (text: string) => {
      rmSync(path);
      write(text);
    },
  ];
  let mountNumber = 0;
  const answers: {
    asked: string;
    round: number;
    answer: Awaited<ReturnType<typeof startStream>>["answer"];
  }[] = [];
  for (let round = 0; round < rounds; round++) {
    const refusals = () => lines.filter((line) => line.includes("is refused")).length;
    if (round > 0) {
      const before = refusals();
      write(JSON.stringify(configOf(round)).slice(0, -round));
      await waitUntil(() => refusals() > before);
      expect(await opens(`round-${round - 1}`)).toBe(true);
      const inForce = lines.filter((line) => line.includes("in force")).length;
      ways[round % ways.length]?.(JSON.stringify(configOf(round)));
      await waitUntil(() => lines.filter((line) => line.includes("in force")).length > inForce);
      expect([await opens(`round-${round - 1}`), await opens(`round-${round}`)]).toEqual([false, true]);
    }
    const asked = [0, 1, 2, 3].map((number) => `round ${round}, question ${number}`);
    const started = asked.map((each) => startStream(gateway, "asked", each));
    for (const [index, { answer }] of (await Promise.all(started)).entries())
      answers.push({ asked: asked[index] ?? "", round, answer });
  }
  expect(platform.calls.filter(({ closedEarly }) => closedEarly)).toEqual([]);
  release();
  expect(answers).toHaveLength(4 * rounds);
  for (const { asked, round, answer } of answers) {
    const { text, upstream: answeredBy } = await answer;
    const chunks = parseChunks(text);
    expect(contentOf(chunks)).toBe(halves(asked).join(""));
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
    expect(answeredBy).toBe(`platform-${round}`);
  }
  expect(platform.calls.filter(({ closedEarly }) => closedEarly)).toEqual([]);
  // Those that were replaced have closed their connections, once nobody used them.
  let connections = Number.POSITIVE_INFINITY;
  await waitUntil(() => {
    void platform.countConnections().then((count) => (connections = count));
    return connections <= 2 * 4;
  });
});
