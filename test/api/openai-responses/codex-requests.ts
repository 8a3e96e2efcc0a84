/** Requests as Codex sends them (clients.md §4.2), with texts of our own. */

type Json = Record<string, unknown>;
export type Item = Json;

const message = (role: string, ...content: Json[]): Item => ({ type: "message", role, content });
export const inputText = (text: string): Json => ({ type: "input_text", text });

/** What precedes the user's first words: permissions, instructions and the environment. */
const preamble: readonly Item[] = [
  message("developer", inputText("<permissions>Commands run in a sandbox of this test.</permissions>")),
  message("developer", inputText("You are a coding agent. Keep going until the task is done.")),
  message("user", inputText("<environment_context>\n  <cwd>/work/project</cwd>\n</environment_context>")),
];

export const user = (...content: Json[]): Item => message("user", ...content);

const codexTools: readonly Json[] = [
  {
    type: "function",
    name: "exec_command",
    description: "Runs a command in a shell and returns its output.",
    strict: false,
    parameters: {
      type: "object",
      properties: {
        cmd: { type: "string", description: "The command line" },
        workdir: { type: "string", description: "The working directory" },
      },
      required: ["cmd"],
      additionalProperties: false,
    },
  },
  {
    type: "custom",
    name: "apply_patch",
    description: "Changes files. The input is a patch, not JSON.",
    format: { type: "grammar", syntax: "lark", definition: 'start: "*** Begin Patch" line+ "*** End Patch"' },
  },
  {
    type: "namespace",
    name: "multi_agent_v1",
    description: "Other agents.",
    tools: [
      {
        type: "function",
        name: "spawn_agent",
        description: "Starts another agent.",
        strict: false,
        parameters: {
          type: "object",
          properties: { task: { type: "string" } },
          required: ["task"],
          additionalProperties: false,
        },
      },
    ],
  },
  { type: "web_search", external_web_access: false },
  { type: "image_generation", output_format: "png" },
];

const thread = "0199c1f2-6c55-7d31-9a0c-5f1f6a2b7c3d";
export const codexHeaders = {
  accept: "text/event-stream",
  originator: "codex_exec",
  "session-id": thread,
  "thread-id": thread,
  "x-client-request-id": thread,
  "x-codex-beta-features": "",
  version: "0.171.0",
};

export function codexRequest(input: readonly Item[], fields: Json = {}): Json {
  return {
    model: "kimi",
    input: [...preamble, ...input],
    tools: codexTools,
    tool_choice: "auto",
    parallel_tool_calls: true,
    reasoning: { summary: "auto" },
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: thread,
    client_metadata: { "x-codex-installation-id": "test" },
    ...fields,
  };
}
