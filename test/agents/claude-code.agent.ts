import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { type Gateway, type GatewayOptions, startGateway } from "../gateway.js";
import type { Place } from "./agent.js";
import { claudeCode, claudeCodeInTerminal, claudeCodeWithMcp } from "./clients/claude-code.js";
import { streamWarnings } from "./debug-log.js";
import { placeFor, runAgent } from "./run-agent.js";
import { taskOf } from "./task-prompt.js";

test("two calls of one answer are both carried out", async () => {
  const { place, run } = await setUp();
  const [one, two] = [join(place.work, "one.txt"), join(place.work, "two.txt")];
  writeFileSync(one, "first: 1\n");
  writeFileSync(two, "second: 2\n");
  const calls = [claudeCode.run("cat one.txt"), claudeCode.run("cat two.txt > copy.txt; cat copy.txt")];
  const { output } = await run(taskOf("Show both.", calls));
  expect(output).toContain("second: 2");
  expect(readFileSync(join(place.work, "copy.txt"), "utf8")).toBe("second: 2\n");
});

test("a new file is written", async () => {
  const { place, run } = await setUp();
  const path = join(place.work, "poem.md");
  const content = "# Mond\n\n“<b>tags</b> & \\backslashes\\”\n\n```js\nconst a = `1`;\n```\n";
  await run(taskOf("Write it.", [{ name: "Write", arguments: { file_path: path, content } }]));
  expect(readFileSync(path, "utf8")).toBe(content);
});

test("a task of twenty steps stays in one chat", async () => {
  const { gateway, place, run } = await setUp();
  const steps = Array.from({ length: 20 }, (_, step) => [
    claudeCode.run(`echo ${step} >> steps.txt; cat steps.txt`),
  ]);
  const { output } = await run(taskOf("Count.", ...steps));
  const expected = Array.from({ length: 20 }, (_, step) => `${step}\n`).join("");
  expect(readFileSync(join(place.work, "steps.txt"), "utf8")).toBe(expected);
  expect(output).toContain("19");
  expect(sentTurns(gateway).filter(({ chatId }) => !chatId)).toHaveLength(1);
  expect(sentTurns(gateway)).toHaveLength(21);
});

test("a tool that was deferred is called after ToolSearch has found it", async () => {
  const { gateway, run } = await setUp();
  const search = { name: "ToolSearch", arguments: { query: "select:CronList", max_results: 1 } };
  const { output } = await run(
    taskOf("List what is planned.", [search], [{ name: "CronList", arguments: {} }]),
  );
  expect(output).toContain("No scheduled jobs.");
  expect(sentTurns(gateway).filter(({ chatId }) => !chatId)).toHaveLength(1);
});

test("WebSearch shows the links that Kimi's search found", async () => {
  const { gateway, run } = await setUp();
  const search = { name: "WebSearch", arguments: { query: "lighthouse news sim:search" } };
  const { output } = await run(taskOf("Search the web.", [search]));
  expect(output).toMatch(/https:\/\/\S+/);
  expect(gateway.logEntries().filter(({ failure }) => failure)).toEqual([]);
});

test("kimi_search of Moonbridge as an MCP server shows the links that Kimi's search found", async () => {
  const gateway = await startGateway({ logLevel: "info" });
  const place = placeFor(claudeCodeWithMcp, gateway);
  const tool = "mcp__moonbridge__kimi_search";
  const find = { name: "ToolSearch", arguments: { query: `select:${tool}`, max_results: 1 } };
  const search = { name: tool, arguments: { question: "lighthouse news sim:search" } };
  const prompt = taskOf("Search the web.", [find], [search]);
  const { output, exitCode } = await runAgent(claudeCodeWithMcp, place, prompt);
  expect(exitCode, output).toBe(0);
  expect(output).toContain("https://example.org/simulated");
  expect(sentTurns(gateway).some(({ text }) => text === "lighthouse news sim:search")).toBe(true);
  expect(gateway.logEntries().filter(({ failure }) => failure)).toEqual([]);
});

test("a picture that it reads reaches Kimi", async () => {
  const { gateway, place, run } = await setUp();
  const path = join(place.work, "dot.png");
  writeFileSync(path, Buffer.from(dot, "base64"));
  await run(taskOf("Look at it.", [claudeCode.read(path)]));
  const uploads = gateway.simulator.calls.filter(({ path: called }) => /upload|file/i.test(called));
  expect(uploads.length).toBeGreaterThan(0);
});

test("a stream that is cut is sent again in one piece, and answered", async () => {
  const { gateway, run } = await setUp();
  gateway.simulator.fault({ kind: "cut", after: 2 });
  const { output } = await run("Say hello.\nsim:say=All is well");
  expect(output).toContain("All is well");
});

test("/context counts tokens without a request to Kimi", async () => {
  const { gateway, run } = await setUp();
  const { output } = await run("/context");
  expect(output).toMatch(/tokens/i);
  expect(sentTurns(gateway)).toHaveLength(0);
});

test("a session in a terminal reads a file and shows the answer", async () => {
  const gateway = await startGateway({ logLevel: "info" });
  const place = placeFor(claudeCodeInTerminal, gateway);
  const path = join(place.work, "harbour.txt");
  writeFileSync(path, "Quintillian\n");
  const task = taskOf("Who is the harbour master?", [claudeCode.read(path)]);
  const isAnswered = () => sentTurns(gateway).some(({ text }) => text.includes("Quintillian"));
  const { output } = await runAgent(claudeCodeInTerminal, place, task, { isAnswered });
  expect(output).toContain("Quintillian");
  expect(streamWarnings(claudeCode, place, "")).toEqual([]);
});

/** A PNG of one pixel. */
const dot =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

type Session = {
  gateway: Gateway;
  place: Place;
  /** Runs it with a prompt; its own log must have no warning about a stream unless the stream was cut. */
  run(prompt: string): Promise<{ output: string }>;
};

async function setUp(options: GatewayOptions = {}): Promise<Session> {
  const gateway = await startGateway({ logLevel: "info", ...options });
  const place = placeFor(claudeCode, gateway);
  const run = async (prompt: string) => {
    const { output, exitCode } = await runAgent(claudeCode, place, prompt);
    expect(exitCode, output).toBe(0);
    const wasCut = gateway.logEntries().some(({ failure }) => failure === "upstream_cut");
    if (!wasCut) expect(streamWarnings(claudeCode, place, output)).toEqual([]);
    return { output };
  };
  return { gateway, place, run };
}
