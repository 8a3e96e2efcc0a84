import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed("opencode-linux-x64/bin/opencode");

/** docs/guide/opencode.md. */
export const opencode: Agent = {
  name: "opencode",
  version: versionOf("opencode-linux-x64"),
  // The title of the session.
  sideRequests: 1,
  attempts: { error: 9, throttle: 9, deadAccount: 2 },
  configure: ({ home, url, key }) => {
    const folder = join(home, ".config", "opencode");
    mkdirSync(folder, { recursive: true });
    const config = {
      $schema: "https://opencode.ai/config.json",
      model: "moonbridge/kimi",
      provider: {
        moonbridge: {
          npm: "@ai-sdk/openai-compatible",
          name: "Moonbridge",
          options: { baseURL: `${url}/v1`, apiKey: key },
          models: { kimi: { name: "Kimi", limit: { context: 262_144, output: 32_000 } } },
        },
      },
    };
    writeFileSync(join(folder, "opencode.json"), JSON.stringify(config));
  },
  // A prompt among its arguments would get quotation marks.
  command: (_place, _prompt, { isContinued }) => ({
    args: [program, "run", "--auto", ...(isContinued ? ["--continue"] : [])],
    takesInput: true,
    environment: {
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    },
  }),
  read: (path) => ({ name: "read", arguments: { filePath: path } }),
  edit: (path, before, after) => ({
    name: "edit",
    arguments: { filePath: path, oldString: before, newString: after },
  }),
  run: (command) => ({ name: "bash", arguments: { command } }),
  logs: [".local/share/opencode/log"],
};
