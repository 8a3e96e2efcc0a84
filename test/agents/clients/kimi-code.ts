import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed, node22 } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed(".bin/kimi");

/** docs/guide/kimi-code.md. */
export const kimiCode: Agent = {
  name: "kimi-code",
  version: versionOf("@moonshot-ai/kimi-code"),
  sideRequests: 0,
  attempts: { error: 3, throttle: 3, deadAccount: 1 },
  configure: ({ home, url, key }) => {
    mkdirSync(join(home, ".kimi-code"));
    const config = `default_model = "kimi"

[providers.moonbridge]
type = "openai"
base_url = "${url}/v1"
api_key = "${key}"

[models.kimi]
provider = "moonbridge"
model = "kimi"
max_context_size = 262144

[loop_control]
max_attempts_per_step = 3
`;
    writeFileSync(join(home, ".kimi-code", "config.toml"), config);
  },
  command: (_place, prompt, { isContinued }) => ({
    args: [node22, program, ...(isContinued ? ["-c"] : []), "-p", prompt],
  }),
  read: (path) => ({ name: "Read", arguments: { path } }),
  edit: (path, before, after) => ({
    name: "Edit",
    arguments: { path, old_string: before, new_string: after },
  }),
  run: (command) => ({ name: "Bash", arguments: { command } }),
  logs: [".kimi-code"],
};
