import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed, type Place } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed("@anthropic-ai/claude-code-linux-x64/claude");

/** The variables of docs/guide/claude-code.md. */
function claudeVariables({ url, key }: Place): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_MODEL: "kimi",
    ANTHROPIC_SMALL_FAST_MODEL: "kimi",
    CLAUDE_CODE_MAX_RETRIES: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    // It runs tools without asking, as root in a test machine.
    IS_SANDBOX: "1",
  };
}

/** docs/guide/claude-code.md. */
export const claudeCode: Agent = {
  name: "claude-code",
  version: versionOf("@anthropic-ai/claude-code-linux-x64"),
  sideRequests: 0,
  attempts: { error: 3, throttle: 3, deadAccount: 1 },
  configure: () => {},
  command: (place, prompt, { isContinued }) => ({
    args: [
      program,
      ...["-p", prompt, "--debug-file", join(place.home, "debug.log"), "--dangerously-skip-permissions"],
      ...(isContinued ? ["--continue"] : []),
    ],
    environment: claudeVariables(place),
  }),
  read: (path) => ({ name: "Read", arguments: { file_path: path } }),
  edit: (path, before, after) => ({
    name: "Edit",
    arguments: { file_path: path, old_string: before, new_string: after },
  }),
  run: (command) => ({ name: "Bash", arguments: { command } }),
  logs: ["debug.log"],
};

/** Claude Code with Moonbridge as an MCP server, too (docs/guide/mcp.md). */
export const claudeCodeWithMcp: Agent = {
  ...claudeCode,
  configure: ({ home, url, key }) => {
    const moonbridge = { type: "http", url: `${url}/mcp`, headers: { Authorization: `Bearer ${key}` } };
    writeFileSync(join(home, "mcp.json"), JSON.stringify({ mcpServers: { moonbridge } }));
  },
  command: (place, prompt, options) => {
    const { args, ...command } = claudeCode.command(place, prompt, options);
    return { ...command, args: [...args, "--mcp-config", join(place.home, "mcp.json")] };
  },
};

/** Claude Code in its terminal interface, past the questions of the first start. */
export const claudeCodeInTerminal: Agent = {
  ...claudeCode,
  configure: ({ home, work }) => {
    const projects = { [work]: { hasTrustDialogAccepted: true } };
    const state = { hasCompletedOnboarding: true, theme: "dark", projects };
    writeFileSync(join(home, ".claude.json"), JSON.stringify(state));
  },
  command: (place) => ({
    args: [program, "--debug-file", join(place.home, "debug.log"), "--permission-mode", "default"],
    environment: claudeVariables(place),
    typedWhen: /for agents|shortcuts/,
  }),
};
