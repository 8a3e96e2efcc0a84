import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed, node22 } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed(".bin/qwen");

/** docs/guide/qwen-code.md. */
export const qwenCode: Agent = {
  name: "qwen-code",
  version: versionOf("@qwen-code/qwen-code"),
  // What it remembers of the session.
  sideRequests: 2,
  attempts: { error: 7, throttle: 14, deadAccount: 1 },
  configure: ({ home }) => {
    mkdirSync(join(home, ".qwen"));
    // Its SDK's retries multiply with its own.
    const settings = { model: { generationConfig: { maxRetries: 0 } } };
    writeFileSync(join(home, ".qwen", "settings.json"), JSON.stringify(settings));
  },
  command: ({ url, key }, prompt, { isContinued }) => ({
    args: [node22, program, "--auth-type", "openai", "-y", "-d", ...(isContinued ? ["-c"] : []), prompt],
    environment: {
      OPENAI_API_KEY: key,
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_MODEL: "kimi",
      QWEN_CODE_SUPPRESS_YOLO_WARNING: "1",
    },
  }),
  read: (path) => ({ name: "read_file", arguments: { file_path: path } }),
  edit: (path, before, after) => ({
    name: "edit",
    arguments: { file_path: path, old_string: before, new_string: after },
  }),
  run: (command) => ({ name: "run_shell_command", arguments: { command, is_background: false } }),
  logs: [".qwen"],
};
