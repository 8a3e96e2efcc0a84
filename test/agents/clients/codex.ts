import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex");

/** docs/guide/codex.md. */
export const codex: Agent = {
  name: "codex",
  version: versionOf("@openai/codex"),
  sideRequests: 0,
  attempts: { error: 2, throttle: 1, deadAccount: 1 },
  configure: ({ home, url }) => {
    mkdirSync(join(home, ".codex"));
    const config = `model = "kimi"
model_provider = "moonbridge"
approval_policy = "never"
sandbox_mode = "danger-full-access"

[model_providers.moonbridge]
name = "Moonbridge"
base_url = "${url}/v1"
env_key = "MOONBRIDGE_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
`;
    writeFileSync(join(home, ".codex", "config.toml"), config);
  },
  command: ({ key }, prompt, { isContinued }) => ({
    args: [program, "exec", "--skip-git-repo-check", ...(isContinued ? ["resume", "--last"] : []), prompt],
    environment: { MOONBRIDGE_KEY: key, RUST_LOG: "warn" },
  }),
  read: (path) => ({ name: "exec_command", arguments: { cmd: `cat ${path}` } }),
  edit: (path, before, after) => ({
    name: "exec_command",
    arguments: {
      cmd: `apply_patch <<'PATCH'\n*** Begin Patch\n*** Update File: ${path}\n@@\n-${before}\n+${after}\n*** End Patch\nPATCH`,
    },
  }),
  run: (command) => ({ name: "exec_command", arguments: { cmd: command } }),
  logs: [".codex/log"],
};
