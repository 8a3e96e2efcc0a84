import { describe, expect, test } from "vitest";
import { agentTools, readNote } from "../chat/tools/example-tools.js";
import { type SentTurn, sentTurns } from "../conversations/dialogue.js";
import { type Gateway, startGateway } from "../gateway.js";
import { type Agent, type AgentTool, agents, createAgent } from "./agents.js";

const sentences = "The build of the moon lander was green, and nothing else happened on that day. ";

/** A function that says how far it has come, and asks for the next call until `steps` calls were made. */
class Chain {
  readonly received: unknown[] = [];
  readonly tools: AgentTool[];
  readonly #steps: number;

  constructor(tools: readonly Pick<AgentTool, "name" | "description" | "parameters">[], steps: number) {
    this.#steps = steps;
    this.tools = tools.map((tool) => ({ ...tool, run: (args) => this.#run(args) }));
  }

  #run(args: Record<string, unknown>): string {
    this.received.push(args.pattern);
    const next = this.received.length;
    const order =
      next < this.#steps ? `sim:call glob {"pattern":"secret ${next} <é>"}` : "The secret is out.";
    return `${sentences.repeat(3)}\n${order}`;
  }
}

/** Records what the client itself adds with each request: the messages after the last answer. */
class NewText {
  readonly bytes: number[] = [];
  readonly fetch: typeof fetch = (input, init) => {
    const { messages = [] } = JSON.parse(String(init?.body ?? "{}"));
    const from = messages.findLastIndex(({ role }: { role: string }) => role === "assistant") + 1;
    const texts = messages.slice(from).map(({ content }: { content: unknown }) => textOf(content));
    this.bytes.push(Buffer.byteLength(texts.join("")));
    return fetch(input, init);
  };
}

type Part = { text?: string; content?: unknown };

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: Part) => part.text ?? textOf(part.content)).join("");
}

const rows = agents.flatMap(([name, create]) =>
  [true, false].map((stream) => [name, stream, create] as const),
);

describe.each(rows)("agents with %s, stream: %s", (_, stream, create) => {
  async function start(): Promise<{ gateway: Gateway; agent: Agent; newText: NewText }> {
    const gateway = await startGateway();
    const newText = new NewText();
    return { gateway, newText, agent: create({ gateway, stream, fetch: newText.fetch }) };
  }

  test("twenty turns with twelve functions use one chat, and every result, with little overhead", async () => {
    const { gateway, agent, newText } = await start();
    const { tools, received } = new Chain(agentTools, 19);
    const text = await agent.run('Find it.\nsim:call glob {"pattern":"secret 0 <é>"}', { tools });
    expect(tools).toHaveLength(12);
    expect(received).toEqual(Array.from({ length: 19 }, (_, step) => `secret ${step} <é>`));
    expect(text).toContain("The secret is out.");
    const turns = sentTurns(gateway);
    expect(turns).toHaveLength(20);
    expectOneChat(turns);
    const overheads = turns.map(({ text }, turn) => Buffer.byteLength(text) - (newText.bytes[turn] ?? 0));
    const isDue = (text: string) => text.includes("The functions in short:");
    const due = overheads.filter((_, turn) => turn > 0 && isDue(turns[turn]?.text ?? ""));
    const others = overheads.filter((_, turn) => turn > 0 && !isDue(turns[turn]?.text ?? ""));
    expect(due).toHaveLength(1);
    expect(Math.max(...due)).toBeLessThanOrEqual(3_072);
    expect(Math.max(...others)).toBeLessThanOrEqual(2_048);
  });

  test("a function that is added, and a turn without any, keep the chat", async () => {
    const { gateway, agent } = await start();
    const { tools, received } = new Chain(agentTools, 4);
    const added: AgentTool = { ...readNote, run: ({ path }) => `${path} says 42` };
    await agent.run('Find it.\nsim:call glob {"pattern":"0"}', { tools });
    expect(received).toHaveLength(4);
    // The seventh turn.
    await agent.run("Thank you.", { tools });
    const note = 'sim:call read_note {"path":"a.txt"}';
    expect(await agent.run(note, { tools: [...tools, added] })).toContain("a.txt says 42");
    await agent.run(`${note}\nsim:say=Prose.`, { tools: [...tools, added], toolChoice: "none" });
    expect(await agent.run(note, { tools: [...tools, added] })).toContain("a.txt says 42");
    await agent.run("Thank you.", { tools });
    const turns = sentTurns(gateway);
    expect(turns).toHaveLength(12);
    expectOneChat(turns);
    const told = turns.map(({ text }) => text.split("read_note – Reads").length - 1);
    expect(told).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(turns[8]?.text).toMatch(/This answer is prose, without calls of functions\.$/);
    expect(turns[11]?.text).toContain("not available any more: read_note");
  });

  test("an answer that is asked for again, and an edited message, continue after their own parents", async () => {
    const { gateway, agent } = await start();
    const { tools } = new Chain(agentTools, 99);
    const one = 'sim:call glob {"pattern":"one"}';
    await agent.run("First: remember apples.", { tools });
    const { length: afterFirst } = agent.history;
    const stop: AgentTool[] = tools.map((tool) => ({ ...tool, run: ({ pattern }) => `found ${pattern}` }));
    await agent.run(one, { tools: stop });
    agent.history.length = afterFirst;
    await agent.run(one, { tools: stop });
    agent.history.length = afterFirst;
    await agent.run('sim:call glob {"pattern":"edited"}', { tools: stop });
    const { length: afterEdit } = agent.history;
    await agent.run("And what else?", { tools: stop });
    agent.history.length = afterEdit;
    await agent.run("Thank you.", { tools: stop });
    const turns = sentTurns(gateway);
    expectOneChat(turns);
    const parents = turns.map(({ parentId }) => parentId);
    const [first, call, result, callAgain, resultAgain, edited, resultOfEdited, question, thanks] = parents;
    expect(first).toBeUndefined();
    expect([callAgain, edited]).toEqual([call, call]);
    expect(thanks).toBe(question);
    expect(new Set([call, result, resultAgain, resultOfEdited, question]).size).toBe(5);
  });
});

/** The first turn opens the chat, and all others continue it. */
function expectOneChat([first, ...others]: SentTurn[]): void {
  expect(first?.chatId).toBeUndefined();
  expect(others.map(({ chatId }) => chatId)).toEqual(others.map(() => others[0]?.chatId ?? "no chat"));
}

test("none of a hundred functions' names is lost", async () => {
  const gateway = await startGateway();
  const { parameters } = readNote;
  const description = "Reads a note. ".repeat(40);
  const names = Array.from({ length: 100 }, (_, index) =>
    index % 2 ? `mcp__server_${index}__read_note` : `server ${index % 7}: read.note/${index}`,
  );
  const called: string[] = [];
  const tools = names.map((name) => ({
    name,
    description,
    parameters,
    run: () => {
      called.push(name);
      return "done";
    },
  }));
  const agent = createAgent({ gateway, fetch, stream: true });
  await agent.run("Hello.", { tools });
  const [{ text = "" } = {}] = sentTurns(gateway);
  const told = [...text.matchAll(/^([\w-]*read_note[\w-]*)(?: –|\()/gm)].map(([, name]) => name);
  expect(new Set(told).size).toBe(100);
  await agent.run(told.map((name) => `sim:call ${name} {"path":"a"}`).join("\n"), { tools });
  expect(called).toEqual(names);
});
