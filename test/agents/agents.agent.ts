import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../simulator/faults.js";
import { sentTurns } from "../conversations/dialogue.js";
import { type Gateway, startGateway } from "../gateway.js";
import type { Agent, Place } from "./agent.js";
import { claudeCode } from "./clients/claude-code.js";
import { cline } from "./clients/cline.js";
import { codex } from "./clients/codex.js";
import { continueCli } from "./clients/continue.js";
import { kimiCode } from "./clients/kimi-code.js";
import { opencode } from "./clients/opencode.js";
import { qwenCode } from "./clients/qwen-code.js";
import { streamWarnings } from "./debug-log.js";
import { placeFor, type Run, runAgent } from "./run-agent.js";
import { taskOf } from "./task-prompt.js";

const agents: Agent[] = [cline, continueCli, opencode, qwenCode, kimiCode, claudeCode, codex];

describe.each(agents)("$name $version", (agent) => {
  test("reads a file and answers from it, in one chat", async () => {
    const { gateway, place } = await setUp(agent);
    const file = writeFile(place, "harbour.txt", "The harbour master is called Aldous Quint.\n");
    const run = await runAgent(agent, place, taskOf("Who is the harbour master?", [agent.read(file)]));
    expect(run.output).toContain("Aldous Quint");
    expectNoComplaint(agent, { gateway, place, run, steps: 2 });
  });

  test("edits a file, which then is right on the disk", async () => {
    const { gateway, place } = await setUp(agent);
    const file = writeFile(place, "settings.ini", "host = alpha\nport = 8123\n");
    const steps = [[agent.read(file)], [agent.edit(file, "port = 8123", "port = 9001 # “new”")]];
    const run = await runAgent(agent, place, taskOf("Change the port to 9001.", ...steps));
    expect(readFileSync(file, "utf8")).toBe("host = alpha\nport = 9001 # “new”\n");
    expectNoComplaint(agent, { gateway, place, run, steps: 3 });
  });

  test("runs a command, and a second task of the session stays in its chat", async () => {
    const { gateway, place } = await setUp(agent);
    const command = agent.run("printf lighthouse | rev > reversed.txt && cat reversed.txt");
    const first = await runAgent(agent, place, taskOf("Reverse the word lighthouse.", [command]));
    expect(first.output).toContain("esuohthgil");
    expect(readFileSync(join(place.work, "reversed.txt"), "utf8")).toBe("esuohthgil");
    const again = agent.run("rev reversed.txt > again.txt && cat again.txt");
    const second = await runAgent(agent, place, taskOf("Reverse it again.", [again]), {
      isContinued: true,
      isAnswered: () => requests(gateway) >= 4,
    });
    expect(readFileSync(join(place.work, "again.txt"), "utf8")).toBe("lighthouse");
    expect(second.output).toContain("lighthouse");
    expectNoComplaint(agent, { gateway, place, run: second, steps: 4 });
  });

  test.each<[name: keyof Agent["attempts"], fault: Fault, sentence: RegExp]>([
    ["error", { kind: "error", code: "internal" }, /Kimi/],
    // Codex has words of its own for a service that is busy.
    ["throttle", { kind: "http", status: 429, retryAfter: 1 }, /Kimi|at capacity/],
    [
      "deadAccount",
      { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" },
      /[Ll]og in/,
    ],
  ])("tells of a lasting failure in a clear sentence: %s", async (name, fault, sentence) => {
    const { gateway, place } = await setUp(agent);
    gateway.simulator.fault(fault, 1_000);
    const run = await runAgent(agent, place, "Say hello.");
    report(agent, name, gateway, run);
    expect(run.exitCode, "ended by itself").not.toBeNull();
    expect(run.output).toMatch(sentence);
    expect(requests(gateway)).toBeLessThanOrEqual(agent.attempts[name]);
  });
});

async function setUp(agent: Agent): Promise<{ gateway: Gateway; place: Place }> {
  const gateway = await startGateway({ logLevel: "info" });
  return { gateway, place: placeFor(agent, gateway) };
}

function writeFile({ work }: Place, name: string, content: string): string {
  const path = join(work, name);
  writeFileSync(path, content);
  return path;
}

type Outcome = { gateway: Gateway; place: Place; run: Run; steps: number };

function expectNoComplaint(agent: Agent, { gateway, place, run, steps }: Outcome): void {
  report(agent, "task", gateway, run);
  // A terminal is left by Ctrl+C.
  expect([0, 130]).toContain(run.exitCode);
  expect(streamWarnings(agent, place, run.output)).toEqual([]);
  expect(newChats(gateway)).toBeLessThanOrEqual(1 + agent.sideRequests);
  expect(requests(gateway)).toBeLessThanOrEqual(steps + agent.sideRequests);
}

function newChats(gateway: Gateway): number {
  return sentTurns(gateway).filter(({ chatId }) => !chatId).length;
}

function requests(gateway: Gateway): number {
  return gateway.logEntries().filter(({ msg, method }) => msg === "request" && method === "POST").length;
}

/** A line of the table of agents. */
function report(agent: Agent, task: string, gateway: Gateway, run: Run): void {
  const counts = `${requests(gateway)} requests, ${newChats(gateway)} chats`;
  process.stdout.write(`${agent.name} ${agent.version} · ${task}: ${counts}, ${run.seconds} s\n`);
}
