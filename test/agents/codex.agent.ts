import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { type Gateway, startGateway } from "../gateway.js";
import type { Agent, Place } from "./agent.js";
import { codex } from "./clients/codex.js";
import { placeFor, runAgent } from "./run-agent.js";
import { taskOf } from "./task-prompt.js";

test("a file is patched, and the command's output is answered", async () => {
  const { place, run } = await setUp();
  const file = join(place.work, "list.txt");
  writeFileSync(file, "one\ntwo\nthree\n");
  await run(taskOf("Change it.", [codex.edit(file, "two", "zwei „zwei“")]));
  expect(readFileSync(file, "utf8")).toBe("one\nzwei „zwei“\nthree\n");
});

test("a task of twenty steps stays in one chat", async () => {
  const { gateway, place, run } = await setUp();
  const steps = Array.from({ length: 20 }, (_, step) => [
    codex.run(`echo ${step} >> steps.txt; cat steps.txt`),
  ]);
  await run(taskOf("Count.", ...steps));
  expect(readFileSync(join(place.work, "steps.txt"), "utf8").trim().split("\n")).toHaveLength(20);
  expect(newChats(gateway)).toBe(1);
  expect(sentTurns(gateway)).toHaveLength(21);
});

test("a picture reaches Kimi", async () => {
  const { gateway, place, run } = await setUp();
  const path = join(place.work, "dot.png");
  writeFileSync(path, Buffer.from(dot, "base64"));
  await run("What is on it?", { options: ["-i", path] });
  const uploads = gateway.simulator.calls.filter(({ path: called }) => /upload|file/i.test(called));
  expect(uploads.length).toBeGreaterThan(0);
});

test("an answer has the form of --output-schema", async () => {
  const { place, run } = await setUp();
  const path = join(place.work, "schema.json");
  const schema = {
    type: "object",
    properties: { port: { type: "integer" }, host: { type: "string" } },
    required: ["port", "host"],
    additionalProperties: false,
  };
  writeFileSync(path, JSON.stringify(schema));
  const answer = join(place.work, "answer.json");
  await run("Name a port and a host.", { options: ["--output-schema", path, "-o", answer] });
  expect(JSON.parse(readFileSync(answer, "utf8"))).toEqual({
    port: expect.any(Number),
    host: expect.any(String),
  });
});

test("a tool of a namespace is called by its own name", async () => {
  const { run, gateway } = await setUp();
  const call = {
    name: "multi_agent_v1__wait_agent",
    arguments: { targets: ["agent-1"], timeout_ms: 10_000 },
  };
  const { output } = await run(taskOf("Wait.", [call]));
  expect(output).not.toMatch(/unsupported call/i);
  expect(newChats(gateway)).toBe(1);
});

test("silence of the model is no idle stream", async () => {
  const { gateway, place, run } = await setUp();
  appendFileSync(join(place.home, ".codex", "config.toml"), "stream_idle_timeout_ms = 1500\n");
  gateway.simulator.fault({ kind: "slow-start", milliseconds: 60_000 });
  const { output } = await run("Say hello.\nsim:say=At last");
  expect(output).toContain("At last");
  expect(sentTurns(gateway)).toHaveLength(1);
});

test.each([
  ["an ordinary request", "Moonbridge"],
  ["a trigger", "OpenAI"],
])("a history that is compacted by %s goes on, with what it said first", async (_, provider) => {
  const { gateway, place, run } = await setUp();
  const path = join(place.home, ".codex", "config.toml");
  const limits = "model_context_window = 40000\nmodel_auto_compact_token_limit = 10000\n";
  const config = readFileSync(path, "utf8").replace('name = "Moonbridge"', `name = "${provider}"`);
  writeFileSync(path, limits + config);
  const words = Array.from({ length: 5_000 }, (_, index) => `word${index}`).join(" ");
  writeFileSync(join(place.work, "words.txt"), words);
  const task = "The harbour master is called Aldous Quint. Read the words.";
  await run(taskOf(task, [codex.run("cat words.txt")], [codex.run("cat words.txt")]));
  const { output } = await run("Who is the harbour master?\nsim:recall=Aldous", { isContinued: true });
  expect(output).toContain("Aldous Quint");
  // The summary goes on in a new chat; a loop of compactions would open more.
  expect(newChats(gateway)).toBe(2);
  expect(requestsOf(gateway)).toBeLessThanOrEqual(5);
});

/** A PNG of one pixel. */
const dot =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function newChats(gateway: Gateway): number {
  return sentTurns(gateway).filter(({ chatId }) => !chatId).length;
}

function requestsOf(gateway: Gateway): number {
  return gateway.logEntries().filter(({ msg, method }) => msg === "request" && method === "POST").length;
}

type RunOptions = { options?: string[]; isContinued?: boolean };

type Session = {
  gateway: Gateway;
  place: Place;
  /** `options`: further options of the command line, before the prompt. */
  run(prompt: string, options?: RunOptions): Promise<{ output: string }>;
};

async function setUp(): Promise<Session> {
  const gateway = await startGateway({ logLevel: "info" });
  const place = placeFor(codex, gateway);
  const run: Session["run"] = async (prompt, { options = [], isContinued = false } = {}) => {
    const withOptions: Agent = {
      ...codex,
      command: (...parameters) => {
        const command = codex.command(...parameters);
        // An option may take several values, so that the prompt must not follow it.
        return { ...command, args: [...command.args.slice(0, 2), ...options, ...command.args.slice(2)] };
      },
    };
    const { output, exitCode } = await runAgent(withOptions, place, prompt, { isContinued });
    expect(exitCode, output).toBe(0);
    return { output };
  };
  return { gateway, place, run };
}
