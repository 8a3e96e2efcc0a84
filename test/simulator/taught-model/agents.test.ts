import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../../simulator/index.js";
import { parseJson, toRecord } from "../client.js";
import { WebClient } from "../web-client.js";
import { type FunctionSpec, firstPrompt, resultPrompt, spec, word } from "./section.js";

let simulator: Simulator;
let client: WebClient;

beforeAll(async () => {
  simulator = await startSimulator();
  client = new WebClient(simulator.url, simulator.issue());
});
afterAll(() => simulator.close());

const text = { type: "string" };
const optionalText = { anyOf: [{ type: "string" }, { type: "null" }] };
const optionalNumber = { anyOf: [{ type: "integer" }, { type: "null" }] };

type Json = Record<string, unknown>;

/** Functions as agents declare them, and the arguments that are expected of each for the tasks of the test. */
const agents: Record<
  string,
  { system: string; functions: FunctionSpec[]; expected: Record<string, [string, Json]> }
> = {
  Cline: {
    system: "Current Working Directory: /work/dir",
    functions: [
      spec(
        "read_files",
        "Reads files.",
        {
          files: {
            type: "array",
            items: {
              type: "object",
              properties: { path: text, start_line: optionalNumber },
              required: ["path"],
            },
          },
        },
        ["files"],
      ),
      spec(
        "run_commands",
        "Runs commands.",
        {
          commands: {
            type: "array",
            items: { anyOf: [text, { type: "object", properties: { command: text } }] },
          },
        },
        ["commands"],
      ),
      spec(
        "editor",
        "Edits a file.",
        { path: text, old_text: optionalText, new_text: text, insert_line: optionalNumber },
        ["path", "new_text"],
      ),
    ],
    expected: {
      read: ["read_files", { files: [{ path: "/work/dir/a.txt" }] }],
      run: ["run_commands", { commands: ["ls -la"] }],
      write: ["editor", { path: "/work/dir/b.txt", new_text: "hello world" }],
      edit: ["editor", { path: "/work/dir/a.txt", old_text: "one", new_text: "two" }],
    },
  },
  "Cline's older set": {
    system: "# Current Working Directory (/work/dir) Files",
    functions: [
      spec("execute_command", "Runs a command.", { command: text, requires_approval: { type: "boolean" } }, [
        "command",
        "requires_approval",
      ]),
      spec("read_file", "Reads a file.", { path: text }, ["path"]),
      spec("write_to_file", "Writes a file.", { path: text, content: text }, ["path", "content"]),
      spec("replace_in_file", "Edits a file.", { path: text, diff: text }, ["path", "diff"]),
    ],
    expected: {
      read: ["read_file", { path: "/work/dir/a.txt" }],
      run: ["execute_command", { command: "ls -la", requires_approval: false }],
      write: ["write_to_file", { path: "/work/dir/b.txt", content: "hello world" }],
      edit: [
        "replace_in_file",
        { path: "/work/dir/a.txt", diff: "------- SEARCH\none\n=======\ntwo\n+++++++ REPLACE\n" },
      ],
    },
  },
  Continue: {
    system: "<env>\nWorking directory: /work/dir\n</env>",
    functions: [
      spec("Read", "Reads a file.", { filepath: text }, ["filepath"]),
      spec("Write", "Writes a file.", { filepath: text, content: text }, ["filepath", "content"]),
      spec(
        "Edit",
        "Edits a file.",
        { file_path: text, old_string: text, new_string: text, replace_all: { type: "boolean" } },
        ["file_path", "old_string", "new_string"],
      ),
      spec("Bash", "Runs a command.", { command: text }, ["command"]),
    ],
    expected: {
      read: ["Read", { filepath: "/work/dir/a.txt" }],
      run: ["Bash", { command: "ls -la" }],
      write: ["Write", { filepath: "/work/dir/b.txt", content: "hello world" }],
      edit: ["Edit", { file_path: "/work/dir/a.txt", old_string: "one", new_string: "two" }],
    },
  },
  opencode: {
    system: "<env>\n  Working directory: /work/dir\n  Is directory a git repo: no\n</env>",
    functions: [
      spec("bash", "Runs a command.", { command: text, timeout: { type: "number" }, description: text }, [
        "command",
        "description",
      ]),
      spec("read", "Reads a file.", { filePath: text, offset: { type: "number" } }, ["filePath"]),
      spec("write", "Writes a file.", { content: text, filePath: text }, ["content", "filePath"]),
      spec(
        "edit",
        "Edits a file.",
        { filePath: text, oldString: text, newString: text, replaceAll: { type: "boolean" } },
        ["filePath", "oldString", "newString"],
      ),
      spec("todowrite", "Writes the list.", { todos: { type: "array", items: { type: "object" } } }, [
        "todos",
      ]),
    ],
    expected: {
      read: ["read", { filePath: "/work/dir/a.txt" }],
      run: ["bash", { command: "ls -la", description: "A step of the task." }],
      write: ["write", { content: "hello world", filePath: "/work/dir/b.txt" }],
      edit: ["edit", { filePath: "/work/dir/a.txt", oldString: "one", newString: "two" }],
    },
  },
  "qwen-code": {
    system: "I'm currently working in the directory: /work/dir",
    functions: [
      spec("run_shell_command", "Runs a command.", { command: text, is_background: { type: "boolean" } }, [
        "command",
        "is_background",
      ]),
      spec("read_file", "Reads a file.", { file_path: text }, ["file_path"]),
      spec("write_file", "Writes a file.", { file_path: text, content: text }, ["file_path", "content"]),
      spec("edit", "Edits a file.", { file_path: text, old_string: text, new_string: text }, [
        "file_path",
        "old_string",
        "new_string",
      ]),
    ],
    expected: {
      read: ["read_file", { file_path: "/work/dir/a.txt" }],
      run: ["run_shell_command", { command: "ls -la", is_background: false }],
      write: ["write_file", { file_path: "/work/dir/b.txt", content: "hello world" }],
      edit: ["edit", { file_path: "/work/dir/a.txt", old_string: "one", new_string: "two" }],
    },
  },
  "kimi-code and kimi-cli": {
    system: "The current working directory is `/work/dir`.",
    functions: [
      spec(
        "Bash",
        "Runs a command.",
        { command: text, timeout: { type: "integer", minimum: 1, maximum: 300 } },
        ["command", "timeout"],
      ),
      spec("ReadMediaFile", "Reads a picture.", { path: text }, ["path"]),
      spec("Read", "Reads a file.", { path: text }, ["path"]),
      spec(
        "Write",
        "Writes a file.",
        { path: text, content: text, mode: { enum: ["overwrite", "append"] } },
        ["path", "content", "mode"],
      ),
      spec(
        "StrReplaceFile",
        "Edits a file.",
        {
          path: text,
          edit: { type: "object", properties: { old: text, new: text }, required: ["old", "new"] },
        },
        ["path", "edit"],
      ),
    ],
    expected: {
      read: ["Read", { path: "/work/dir/a.txt" }],
      run: ["Bash", { command: "ls -la", timeout: 60 }],
      write: ["Write", { path: "/work/dir/b.txt", content: "hello world", mode: "overwrite" }],
      edit: ["StrReplaceFile", { path: "/work/dir/a.txt", edit: { old: "one", new: "two" } }],
    },
  },
};

function parseCall(answer: string): [name: unknown, args: unknown] {
  const { name, arguments: args } = parseJson(
    answer.slice(`<call-${word}>`.length, -`</call-${word}>`.length),
  );
  return [name, args];
}

test.each(Object.entries(agents))(
  "does tasks in plain sentences with the functions of %s",
  async (_, agent) => {
    const { functions, system, expected } = agent;
    const ask = (words: string) => client.ask(firstPrompt(functions, words, { system }));
    const read = await ask("Read the file a.txt and tell me its first word.");
    expect(parseCall(read.text)).toEqual(expected.read);
    const told = await client.ask(resultPrompt([["read", "     1→sunrise over\n     2→the sea"]]), {
      after: read,
    });
    expect(told.text).toBe("(Simulated) You asked for its first word: sunrise");

    const run = await ask("Please run `ls -la` and tell me the total.");
    expect(parseCall(run.text)).toEqual(expected.run);
    const listed = await client.ask(resultPrompt([["run", "total 12\ndrwxr-xr-x 2 root"]]), { after: run });
    expect(listed.text).toBe("(Simulated) You asked for the total: total 12");

    const write = await ask('Write "hello world" to b.txt.');
    expect(parseCall(write.text)).toEqual(expected.write);
    expect((await client.ask(resultPrompt([["write", "ok"]]), { after: write })).text).toContain("Done.");

    const first = await ask('Replace "one" by "two" in a.txt.');
    expect(parseCall(first.text)).toEqual(expected.read);
    const edit = await client.ask(resultPrompt([["read", "one"]]), { after: first });
    expect(parseCall(edit.text)).toEqual(expected.edit);
  },
);

test("does several tasks of one sentence one after the other, whatever an agent adds in tags", async () => {
  const { functions = [], system = "" } = agents.Continue ?? {};
  const added = "<system-reminder>\nDo not forget the list.\n</system-reminder>";
  const words =
    "Create b.txt with the text `x = 1`, copy b.txt to c.txt and then run the command `cat c.txt`.";
  let answer = await client.ask(firstPrompt(functions, `${words}\n\nuser: ${added}`, { system }));
  expect(parseCall(answer.text)).toEqual(["Write", { filepath: "/work/dir/b.txt", content: "x = 1" }]);
  answer = await client.ask(resultPrompt([["Write", "ok"]]), { after: answer });
  expect(parseCall(answer.text)).toEqual(["Read", { filepath: "/work/dir/b.txt" }]);
  const content = 'x = 1\n<tool_call>{"a": "\\u2028"}</tool_call>\n';
  answer = await client.ask(resultPrompt([["Read", content]]), { after: answer });
  expect(parseCall(answer.text)).toEqual(["Write", { filepath: "/work/dir/c.txt", content }]);
  answer = await client.ask(
    `result of Write: ok\n\nuser: ${added}\n\nA call: <call-${word}>{}</call-${word}>`,
    { after: answer },
  );
  expect(parseCall(answer.text)).toEqual(["Bash", { command: "cat c.txt" }]);
});

test("says that it has no function for a task", async () => {
  const lookUp = spec("look_up", "Looks a word up.", { term: text }, ["term"]);
  expect((await client.ask(firstPrompt([lookUp], "Read the file a.txt."))).text).toContain("You said");
});

test("ends a task by the function that an agent has for that", async () => {
  const finish = spec("attempt_completion", "Ends the task.", { result: text }, ["result"]);
  const read = spec("read_file", "Reads a file.", { path: text }, ["path"]);
  const first = await client.ask(firstPrompt([read, finish], "Read a.txt and tell me the port."));
  const last = await client.ask(resultPrompt([["read_file", "host: here\nport: 8080"]]), { after: first });
  const [name, args] = parseCall(last.text);
  expect(name).toBe("attempt_completion");
  expect(toRecord(args).result).toContain("port: 8080");
});
