import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Type } from "@sinclair/typebox";
import { expect, onTestFinished, test } from "vitest";
import { RedisConnection } from "../../../src/store/redis/connection.js";
import { redisKey } from "../../../src/store/redis/keys.js";
import { parseReply } from "../../../src/store/redis/reply.js";
import { defineScript } from "../../../src/store/redis/script.js";
import { freePort, RedisServer } from "./redis-server.js";

async function startServer(settings: Record<string, string> = {}): Promise<RedisServer> {
  const server = await RedisServer.start({ settings });
  onTestFinished(() => server.stop());
  return server;
}

async function connect(url: string): Promise<RedisConnection> {
  const connection = await RedisConnection.open(url);
  onTestFinished(() => connection.close());
  return connection;
}

const append = defineScript({
  name: "append",
  source: "redis.call('APPEND', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
  parse: (reply) => parseReply(Type.String(), reply),
});

/** The message of the failure, or an empty text. */
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => "",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Sends PING until it succeeds; fails after ten seconds. */
async function untilItAnswers(connection: RedisConnection): Promise<void> {
  await expect.poll(() => failureOf(connection.send("PING")), { timeout: 10_000 }).toBe("");
}

test("commands are answered in order, and those sent together in one list", async () => {
  const connection = await connect((await startServer()).url);
  expect(await connection.send("SET", "a", "1")).toBe("OK");
  expect(
    await connection.sendAll([
      ["INCR", "a"],
      ["GET", "a"],
      ["GET", "b"],
      ["LRANGE", "c", "0", "-1"],
    ]),
  ).toEqual([2, "2", null, []]);
});

test("a script runs also after the server has forgotten it", async () => {
  const server = await startServer();
  const connection = await connect(server.url);
  expect(await connection.run(append, [redisKey("a")], ["x"])).toBe("x");
  await server.command("SCRIPT", "FLUSH");
  expect(await connection.run(append, [redisKey("a")], [2])).toBe("x2");
});

test("what Redis does not understand is refused, and not quoted", async () => {
  const connection = await connect((await startServer()).url);
  expect(await failureOf(connection.send("CANARY", "CANARY"))).toMatch(/refused a command\. \(ERR\)$/);
  const script = defineScript({ ...append, source: "error('CANARY')" });
  expect(await failureOf(connection.run(script, [], []))).toMatch(/refused a command\. \(ERR\)$/);
});

test("an unexpected reply to a script is reported without its content", async () => {
  const connection = await connect((await startServer()).url);
  const script = defineScript({ ...append, parse: (reply) => JSON.parse(String(reply)) });
  expect(await failureOf(connection.run(script, ["a"], ["CANARY"]))).toMatch(
    /^StoreError: The store redis:\/\/127\.0\.0\.1:\d+ holds something that this Moonbridge did not write\./,
  );
});

test("while the server is away commands fail at once, and succeed when it is back", async () => {
  const server = await startServer();
  const connection = await connect(server.url);
  await connection.send("SET", "a", "kept");
  await server.kill();
  await sleep(50);
  const started = performance.now();
  for (let n = 0; n < 100; n++)
    expect(await failureOf(connection.send("GET", "a"))).toMatch(/cannot be reached/);
  expect(performance.now() - started).toBeLessThan(3_000);
  await server.restart();
  await untilItAnswers(connection);
  expect(await connection.send("GET", "a")).toBe("kept");
});

test("a server that stops answering delays a command for seconds only, and then none", async () => {
  const server = await startServer();
  const connection = await connect(server.url);
  server.pause();
  expect(await failureOf(connection.send("PING"))).toMatch(/does not answer in time/);
  expect(await failureOf(connection.send("PING"))).toMatch(/does not answer in time/);
  server.resume();
  await untilItAnswers(connection);
});

test("messages of a channel arrive, also after the server was restarted", async () => {
  const server = await startServer();
  const connection = await connect(server.url);
  const messages: string[] = [];
  await connection.subscribe("news", (message) => messages.push(message));
  await connection.send("PUBLISH", "news", "one");
  await expect.poll(() => messages).toEqual(["one"]);
  await server.restart();
  const published = async () => {
    await server.command("PUBLISH", "news", "two");
    return messages.includes("two");
  };
  await expect.poll(published, { timeout: 10_000 }).toBe(true);
});

test.each([
  ["a wrong password", { requirepass: "right" }, ":CANARY@", /refuses the user or password/],
  ["no password where one is needed", { requirepass: "right" }, "", /refuses the user or password/],
  ["a password where there is none", {}, "you:CANARY@", /refuses the user or password/],
])("%s fails at once with a sentence without it", async (_, settings, credentials, message) => {
  const server = await startServer(settings);
  const failure = await failureOf(RedisConnection.open(`redis://${credentials}127.0.0.1:${server.port}`));
  expect(failure).toMatch(message);
  expect(failure).not.toMatch(/CANARY|you/);
});

test("no server, a server without TLS and one that says nothing fail within seconds", async () => {
  const server = await startServer();
  await server.kill();
  expect(await failureOf(RedisConnection.open(server.url))).toMatch(/cannot be reached.*\(ECONNREFUSED\)/);
  await server.restart();
  expect(await failureOf(RedisConnection.open(server.url.replace("redis:", "rediss:")))).toMatch(
    /StoreError: The store rediss:/,
  );
  server.pause();
  expect(await failureOf(RedisConnection.open(server.url))).toMatch(/does not answer in time/);
});

test("TLS is spoken with a certificate that can be verified, and else refused with a remedy", async () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
  const [certificate, key] = [fixture("one-certificate.pem"), fixture("one-key.pem")];
  const tlsPort = await freePort();
  await startServer({
    ...{ "tls-port": `${tlsPort}`, "tls-cert-file": certificate, "tls-key-file": key },
    ...{ "tls-ca-cert-file": certificate, "tls-auth-clients": "no" },
  });
  const url = `rediss://127.0.0.1:${tlsPort}`;
  expect(await failureOf(RedisConnection.open(url))).toMatch(
    /certificate.*cannot be verified.*NODE_EXTRA_CA_CERTS/,
  );
  const module = new URL("../../../dist/src/store/redis/connection.js", import.meta.url).href;
  const program = `import { RedisConnection } from ${JSON.stringify(module)};
    const connection = await RedisConnection.open(${JSON.stringify(url)});
    console.log(await connection.send("PING"));
    await connection.close();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  });
  expect(stdout).toBe("PONG\n");
});

test("a full server, a read-only replica and a missing permission are named", async () => {
  const server = await startServer();
  const connection = await connect(server.url);
  await server.command("CONFIG", "SET", "maxmemory", "1");
  expect(await failureOf(connection.send("SET", "a", "1"))).toMatch(/is full.*\(OOM\)/);
  expect(await failureOf(connection.run(append, ["a"], ["1"]))).toMatch(/is full.*\(OOM\)/);
  await server.command("CONFIG", "SET", "maxmemory", "0");
  await server.command("REPLICAOF", "127.0.0.1", "1");
  expect(await failureOf(connection.send("SET", "a", "1"))).toMatch(/read-only replica.*\(READONLY\)/);
  await server.command("REPLICAOF", "NO", "ONE");
  await untilItAnswers(connection);
  expect(await connection.send("SET", "a", "1")).toBe("OK");
  await server.command("ACL", "SETUSER", "default", "-get");
  expect(await failureOf(connection.send("GET", "a"))).toMatch(/forbids its user a command.*\(NOPERM\)/);
});

test("a closed connection rejects commands", async () => {
  const connection = await connect((await startServer()).url);
  await connection.close();
  await connection.close();
  expect(await failureOf(connection.send("PING"))).toMatch(/is closed/);
});
