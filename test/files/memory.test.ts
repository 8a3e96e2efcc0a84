import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { request } from "undici";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "../cli/process.js";

const key = "sk-CANARY-memory";
const megabyte = 1_048_576;
const size = 100 * megabyte;

/** Generates bytes in chunks, so that they are never in memory as a whole. */
function* generateBytes(count = size): Generator<Buffer> {
  for (let at = 0; at < count; at += 65_536) yield Buffer.alloc(Math.min(65_536, count - at), at / 65_536);
}

function digestOf(chunks: Iterable<Buffer>): string {
  const digest = createHash("sha256");
  for (const chunk of chunks) digest.update(chunk);
  return digest.digest("hex");
}

/** Resident memory of a process in bytes: current (VmRSS), or peak since `resetPeak` (VmHWM). */
function memoryOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB$`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "utf8"),
  )?.[1];
  return Number(kilobytes) * 1_024;
}

function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

test("receives a file of 100 MB and uploads it to Kimi with less than 60 MB of additional memory", async () => {
  const kimi = await startSimulator();
  const folder = createTemporaryFolder();
  const upstream = { name: "me", kind: "kimi-web", baseUrl: kimi.url, authUrl: kimi.url, ...kimi.issue() };
  writeConfig(folder, { token: key, upstreams: [upstream] });
  const moonbridge = runMoonbridge(["--port", "0"], folder);
  const url = await moonbridge.ready;
  const authorization = `Bearer ${key}`;

  const upload = async (name: string, count: number) => {
    const head = `--B\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/pdf\r\n\r\n`;
    const body = Readable.from(
      (function* () {
        yield Buffer.from(head);
        yield* generateBytes(count);
        yield Buffer.from("\r\n--B--\r\n");
      })(),
    );
    const headers = { authorization, "content-type": "multipart/form-data; boundary=B" };
    const response = await request(`${url}/v1/files`, { method: "POST", headers, body });
    return JSON.parse(await response.body.text());
  };
  const sendFile = async (id: string) => {
    const content = [
      { type: "text", text: "What is it?" },
      { type: "file", file: { file_id: id } },
    ];
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify({ model: "kimi", messages: [{ role: "user", content }] }),
    });
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
  };
  const growth = async (work: () => Promise<unknown>) => {
    const before = memoryOf(moonbridge.pid, "VmRSS");
    resetPeak(moonbridge.pid);
    await work();
    return (memoryOf(moonbridge.pid, "VmHWM") - before) / megabyte;
  };

  // Warm-up: loads and compiles the code.
  await sendFile((await upload("small.pdf", 10 * megabyte)).id);
  let id = "";
  const receiving = await growth(async () => {
    id = (await upload("large.pdf", size)).id;
  });
  const sending = await growth(() => sendFile(id));
  process.stdout.write(
    `memory growth: receiving ${receiving.toFixed(1)} MB, sending ${sending.toFixed(1)} MB\n`,
  );
  // Node 24 lets its heap grow further than Node 20 (52 MB).
  expect(receiving).toBeLessThan(60);
  expect(sending).toBeLessThan(60);
  const sent = kimi.calls.filter(({ path }) => path.endsWith("/file/upload")).at(-1)?.body;
  expect(sent).toMatchObject({ name: "large.pdf", size, checksum: digestOf(generateBytes()) });
  expect(readdirSync(join(folder, "moonbridge-files")).filter((name) => name.endsWith(".part"))).toEqual([]);
  await kimi.close();
}, 120_000);
