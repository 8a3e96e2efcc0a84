import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Agent, installed } from "../agent.js";
import { versionOf } from "../version-of.js";

const program = installed("@cline/cli-linux-x64/bin/cline");

/** docs/guide/cline.md. */
export const cline: Agent = {
  name: "cline",
  version: versionOf("@cline/cli-linux-x64"),
  sideRequests: 0,
  attempts: { error: 6, throttle: 6, deadAccount: 1 },
  configure: ({ home, url, key }) => {
    const options = ["-p", "openai-compatible", "-b", `${url}/v1`, "-k", key, "-m", "kimi"];
    execFileSync(program, ["auth", ...options], { env: { HOME: home }, stdio: "ignore" });
  },
  // A session goes on only in the terminal user interface.
  command: ({ home }, prompt, { isContinued }) =>
    isContinued
      ? { args: [program, "-i", "--id", lastSession(home)], typedWhen: /Auto-approve/ }
      : { args: [program, "--verbose", prompt] },
  read: (path) => ({ name: "read_files", arguments: { files: [{ path }] } }),
  edit: (path, before, after) => ({
    name: "editor",
    arguments: { path, old_text: before, new_text: after },
  }),
  run: (command) => ({ name: "run_commands", arguments: { commands: [command] } }),
  logs: [".cline"],
};

function lastSession(home: string): string {
  return (
    readdirSync(join(home, ".cline", "data", "sessions"))
      .toSorted()
      .at(-1) ?? ""
  );
}
