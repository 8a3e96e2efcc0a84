import { readFileSync } from "node:fs";
import { Pool } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { createTemporaryFolder, runMoonbridge, writeConfig } from "../cli/process.js";
import { contentOf, parseChunks } from "../gateway.js";

const requests = 30_000;
const concurrency = 32;
const key = "sk-CANARY-random-aborts-0123456789";

/** The answer to a question: deltas that all have its word in them. */
const deltasFor = (word: string) => Array.from({ length: 20 }, (_, index) => `${word} part ${index}; `);

test.each(["kimi-web", "kimi-legacy"] as const)(
  "%s: of 30,000 requests, half of them aborted at random moments, every whole answer is right, and memory is flat",
  { timeout: 3_600_000 },
  async (kind) => {
    const simulator = await startSimulator({
      script: ({ text }) => [{ do: "text", content: deltasFor(/w\d+/.exec(text)?.[0] ?? "none") }],
      legacyConcurrency: 2 * concurrency,
      cancelMilliseconds: 0,
      accessTokenSeconds: 86_400,
    });
    onTestFinished(() => simulator.close());
    const { accessToken, refreshToken } = simulator.issue();
    const addresses = { baseUrl: simulator.url, ...(kind === "kimi-web" ? { authUrl: simulator.url } : {}) };
    const folder = createTemporaryFolder();
    writeConfig(folder, {
      keys: [{ name: "chat", key }],
      upstreams: [{ name: "me", kind, ...addresses, accessToken, refreshToken, concurrency }],
      store: "sqlite:./state.db",
    });
    const gateway = runMoonbridge(["--port", "0"], folder, { MOONBRIDGE_LOG_LEVEL: "error" });
    const pool = new Pool(await gateway.ready, { connections: 2 * concurrency });
    onTestFinished(() => pool.destroy());

    const results = { whole: 0, aborted: 0, wrong: [] as string[] };
    const memory: number[] = [];
    let next = 0;
    const client = async () => {
      for (let number = next++; number < requests; number = next++) {
        const outcome = await ask(pool, number);
        if (outcome === "whole" || outcome === "aborted") results[outcome] += 1;
        else results.wrong.push(outcome);
        if (number % 100 === 0) memory.push(residentMegabytes(gateway.pid));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, client));
    const third = Math.floor(memory.length / 3);
    const [early, late] = [median(memory.slice(third, 2 * third)), median(memory.slice(-third))];
    process.stdout.write(
      `${kind}: ${results.whole} whole, ${results.aborted} aborted, ${results.wrong.length} wrong; ` +
        `median memory of the second third ${early} MB, of the last ${late} MB\n`,
    );
    expect(results.wrong.slice(0, 5)).toEqual([]);
    expect(results.whole).toBeGreaterThan(requests / 4);
    expect(results.aborted).toBeGreaterThan(requests / 10);
    expect(late).toBeLessThan(early * 1.25);
    await expect.poll(() => simulator.counts().openStreams, { timeout: 10_000 }).toBe(0);
    gateway.kill("SIGTERM");
    expect(await gateway.exit).toBe(0);
  },
);

/** Asks a question with a word of its own; says what is wrong unless the answer is whole or was aborted. */
async function ask(pool: Pool, number: number): Promise<string> {
  const word = `w${number}`;
  const abort = new AbortController();
  const timer = number % 2 === 0 ? setTimeout(() => abort.abort(), Math.random() * 60) : undefined;
  try {
    const { statusCode, body } = await pool.request({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "kimi", messages: [{ role: "user", content: word }], stream: true }),
      signal: abort.signal,
    });
    const received = await body.text();
    if (statusCode !== 200) return `${statusCode} ${received}`;
    return contentOf(parseChunks(received)) === deltasFor(word).join("")
      ? "whole"
      : `${word} got ${received.slice(-300)}`;
  } catch (error) {
    return abort.signal.aborted ? "aborted" : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1_024);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
