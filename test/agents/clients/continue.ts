import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed, node22 } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed(".bin/cn");

/** docs/guide/continue.md. */
export const continueCli: Agent = {
  name: "continue",
  version: versionOf("@continuedev/cli"),
  sideRequests: 0,
  attempts: { error: 33, throttle: 33, deadAccount: 1 },
  configure: ({ home, url, key }) => {
    mkdirSync(join(home, ".continue"));
    const config = `name: Moonbridge
version: 1.0.0
schema: v1
models:
  - name: Kimi
    provider: openai
    model: kimi
    apiBase: ${url}/v1
    apiKey: ${key}
    roles: [chat, edit, apply]
`;
    writeFileSync(join(home, ".continue", "config.yaml"), config);
  },
  command: ({ home }, prompt, { isContinued }) => ({
    args: [
      node22,
      program,
      "-p",
      "--auto",
      ...["--config", join(home, ".continue", "config.yaml")],
      ...(isContinued ? ["--resume"] : []),
      prompt,
    ],
  }),
  read: (path) => ({ name: "Read", arguments: { filepath: path } }),
  edit: (path, before, after) => ({
    name: "MultiEdit",
    arguments: { file_path: path, edits: [{ old_string: before, new_string: after }] },
  }),
  run: (command) => ({ name: "Bash", arguments: { command } }),
  logs: [".continue/logs"],
};
