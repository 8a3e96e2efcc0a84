import { expect, test } from "vitest";
import { countTextTokens } from "../../src/chat/token-count.js";
import { tellTools } from "../../src/chat/tools/tool-prompt.js";
import { createToolState } from "../../src/chat/tools/tool-state.js";
import { textOf } from "../../src/core/message-content.js";
import type { Message, Tool } from "../../src/core/types.js";
import { agentTools, mcpTools, readNote } from "../chat/tools/example-tools.js";
import { readText } from "./files.js";

const folder = "docs/guide/agent-prompts";
const pages = ["docs/guide/agents.md", "docs/guide/agents.zh-CN.md"];

/** The first prompt of a chat, with a word of its own in place of a random one. */
function firstPrompt(tools: readonly Tool[], system: string, user: string): string {
  const text = (role: "system" | "user", content: string): Message => ({
    role,
    content: [{ type: "text", text: content }],
  });
  const { messages } = tellTools({
    messages: [...(system === "" ? [] : [text("system", system)]), text("user", user)],
    before: [],
    tools,
    toolChoice: undefined,
    parallelToolCalls: undefined,
    state: { ...createToolState(), word: "7f3k" },
    maxOldResultCharacters: 8_000,
  });
  return textOf(messages[0]?.content ?? []);
}

test.each([
  ["one-function.txt", firstPrompt([readNote], "", "What is in my note journal/monday.txt?")],
  [
    "mcp-servers.txt",
    firstPrompt(
      [...mcpTools],
      "You are a helpful assistant.",
      "Which files changed in ~/site since yesterday?",
    ),
  ],
  [
    "coding-agent.txt",
    firstPrompt(
      [...agentTools],
      "You are a coding agent. The working directory is /home/ada/site.",
      "Replace the port 8080 by 9090 in config.json.",
    ),
  ],
])("the guide shows the prompt %s as it is sent, with its size", async (file, prompt) => {
  // `npx vitest run -u test/docs/agent-prompts.test.ts` writes the files anew.
  await expect(prompt).toMatchFileSnapshot(`../../${folder}/${file}`);
  const size = `| ${prompt.length.toLocaleString("en-US")} | ${(await countTextTokens(prompt)).toLocaleString("en-US")} |`;
  for (const page of pages) {
    const row = readText(page)
      .split("\n")
      .find((line) => line.includes(`(agent-prompts/${file})`));
    expect(row?.replace(/ +/g, " "), page).toContain(size);
  }
});
