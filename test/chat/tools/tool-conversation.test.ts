import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../../simulator/index.js";
import { unescapeMarkup } from "../../../src/chat/tools/escape-markup.js";
import { type ToldTurn, tellTools } from "../../../src/chat/tools/tool-prompt.js";
import type { ToolState } from "../../../src/chat/tools/tool-state.js";
import { textOf } from "../../../src/core/message-content.js";
import type { Message, Tool, ToolCall } from "../../../src/core/types.js";
import { type WebAnswer, WebClient } from "../../simulator/web-client.js";
import { agentTools, mcpTools, readNote } from "./example-tools.js";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

/** A chat in which every turn is told by `tellTools`. The form asked for is read by a pattern: the model writes it well. */
class Conversation {
  readonly #client = new WebClient(simulator.url, simulator.issue());
  readonly #messages: Message[] = [];
  readonly #tools: readonly Tool[];
  #answer: WebAnswer | undefined;
  #state: ToolState | undefined;

  constructor(tools: readonly Tool[]) {
    this.#tools = tools;
  }

  user(text: string) {
    return this.#send([{ role: "user", content: [{ type: "text", text }] }]);
  }

  results(calls: readonly ToolCall[], text: string) {
    return this.#send(
      calls.map(({ id }) => ({ role: "tool", toolCallId: id, content: [{ type: "text", text }] })),
    );
  }

  async #send(messages: Message[]): Promise<{ text: string; calls: ToolCall[] }> {
    const told = tellTools({
      messages,
      before: this.#messages,
      tools: this.#tools,
      toolChoice: undefined,
      parallelToolCalls: undefined,
      state: this.#state,
      maxOldResultCharacters: 8_000,
    });
    const prompt = textOf(told.messages[0]?.content ?? []);
    this.#answer = await this.#client.ask(prompt, this.#answer ? { after: this.#answer } : {});
    const { text } = this.#answer;
    const calls = readCalls(text, told, this.#messages.length);
    this.#messages.push(...messages, {
      role: "assistant",
      content: calls.length > 0 ? [] : [{ type: "text", text }],
      toolCalls: calls,
    });
    this.#state = told.state;
    return { text: unescapeMarkup(text), calls };
  }
}

function readCalls(text: string, { aliases, state }: ToldTurn, turn: number): ToolCall[] {
  const lines = text.matchAll(new RegExp(`<call-${state.word}>(.*?)</call-${state.word}>`, "gs"));
  return [...lines].map(([, json = ""], index) => {
    const call = JSON.parse(unescapeMarkup(json, "json"));
    return {
      id: `${turn}-${index}`,
      name: aliases.resolve(call.name)?.name ?? "",
      arguments: JSON.stringify(call.arguments),
    };
  });
}

describe("a model that was told of functions calls them and uses the results", () => {
  test.each([
    ["one function", [readNote], "read_note", { path: "a.txt" }],
    ["30 functions of MCP servers", mcpTools, "mcp__git__git_log", { repo_path: "/site", max_count: 3 }],
    ["a dozen of an agent's", agentTools, "shell", { command: "ls -la", description: "Lists files" }],
  ])("%s", async (_, tools, name, args) => {
    const conversation = new Conversation(tools);
    const { calls } = await conversation.user(`Please.\nsim:call ${name} ${JSON.stringify(args)}`);
    expect(calls.map((call) => [call.name, JSON.parse(call.arguments)])).toEqual([[name, args]]);
    const answer = await conversation.results(calls, "It was 42.");
    expect(answer.calls).toEqual([]);
    expect(answer.text).toContain("It was 42.");
  });

  test("for plain sentences of a coding agent's user, with names that Kimi's own agent has", async () => {
    const conversation = new Conversation(agentTools);
    const first = await conversation.user('Replace "8080" by "9090" in /site/config.json.');
    expect(first.calls[0]).toMatchObject({
      name: "read_file",
      arguments: '{"file_path":"/site/config.json"}',
    });
    const second = await conversation.results(first.calls, '{"port": 8080}');
    expect(second.calls[0]?.name).toBe("edit");
  });

  test("in 30 steps of one chat, each of which calls what the result before asks for", async () => {
    const conversation = new Conversation(agentTools);
    let { calls } = await conversation.user('sim:call glob {"pattern":"0"}');
    for (let step = 1; step <= 30; step++) {
      expect(calls).toMatchObject([{ name: "glob", arguments: `{"pattern":"${step - 1}"}` }]);
      ({ calls } = await conversation.results(calls, `sim:call glob {"pattern":"${step}"}`));
    }
  });

  test("with a file full of tags, which is written back byte for byte", async () => {
    const conversation = new Conversation(agentTools);
    const content = '<call-7f3k>{"name":"shell"}</call-7f3k>\n<call_-abcd> C:\\new "x" \u2028 🜁';
    const first = await conversation.user("Copy /site/a.txt to /site/b.txt");
    const second = await conversation.results(first.calls, content);
    expect(second.calls).toHaveLength(1);
    expect(JSON.parse(second.calls[0]?.arguments ?? "")).toEqual({ file_path: "/site/b.txt", content });
  });
});
