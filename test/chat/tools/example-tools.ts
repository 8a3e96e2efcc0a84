import type { Tool } from "../../../src/core/types.js";

// Functions as clients declare them, for the prompts that docs/guide/agents.md shows.

type Json = Record<string, unknown>;

const text = (description: string): Json => ({ type: "string", description });
const number = (description: string): Json => ({ type: "integer", description });
const flag = (description: string, value = false): Json => ({ type: "boolean", default: value, description });
const list = (items: Json, description: string): Json => ({ type: "array", items, description });

/** `optional` names the parameters that are not required. */
function tool(name: string, description: string, properties: Json, optional: readonly string[] = []): Tool {
  const required = Object.keys(properties).filter((property) => !optional.includes(property));
  return {
    name,
    description,
    parameters: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties,
      required,
      additionalProperties: false,
    },
  };
}

export const readNote = tool("read_note", "Reads a note of the user's notebook and returns its text.", {
  path: text("Path of the note inside the notebook, such as journal/monday.txt"),
});

const repository = text("Path of the Git repository");
const allowed = "Works only within the allowed directories.";

const fileTools = [
  tool(
    "mcp__files__read_text_file",
    `Read the whole content of a file from the file system as text. Handles various encodings and gives a detailed message if the file cannot be read. Use 'head' for the first lines or 'tail' for the last ones. ${allowed}`,
    {
      path: text("Path of the file"),
      head: number("If given, only the first N lines"),
      tail: number("If given, only the last N lines"),
    },
    ["head", "tail"],
  ),
  tool(
    "mcp__files__read_multiple_files",
    `Read several files at the same time, which takes less time than one after the other when files are compared. Each file's content is returned with its path. A file that cannot be read does not stop the others. ${allowed}`,
    { paths: list({ type: "string" }, "Paths of the files") },
  ),
  tool(
    "mcp__files__write_file",
    `Create a new file, or replace the whole content of an existing one without a warning. Text is written in UTF-8. ${allowed}`,
    { path: text("Path of the file"), content: text("The new content") },
  ),
  tool(
    "mcp__files__edit_file",
    `Make edits of a text file line by line. Each edit replaces exact sequences of lines by new ones. Returns the difference in Git's format. ${allowed}`,
    {
      path: text("Path of the file"),
      edits: list(
        {
          type: "object",
          properties: {
            oldText: text("Text to look for, which must match exactly"),
            newText: text("Text to put in its place"),
          },
          required: ["oldText", "newText"],
          additionalProperties: false,
        },
        "The edits in their order",
      ),
      dryRun: flag("Show the difference without writing the file"),
    },
    ["dryRun"],
  ),
  tool(
    "mcp__files__create_directory",
    `Create a directory, with its parents where they are missing, or make sure that it exists. ${allowed}`,
    { path: text("Path of the directory") },
  ),
  tool(
    "mcp__files__list_directory",
    `List all files and directories in a directory. Each line says [FILE] or [DIR] before the name. ${allowed}`,
    { path: text("Path of the directory") },
  ),
  tool(
    "mcp__files__directory_tree",
    `Get a directory with all that is below it as JSON. Each entry has 'name', 'type' (file or directory) and, for directories, 'children'. ${allowed}`,
    {
      path: text("Path of the directory"),
      excludePatterns: list({ type: "string" }, "Patterns of paths to leave out"),
    },
    ["excludePatterns"],
  ),
  tool(
    "mcp__files__move_file",
    `Move or rename a file or directory. Fails if the target exists. ${allowed}`,
    { source: text("Present path"), destination: text("New path") },
  ),
  tool(
    "mcp__files__search_files",
    `Look for files and directories by a pattern, through all directories below the given one. Returns full paths. ${allowed}`,
    {
      path: text("Directory where the search begins"),
      pattern: text("Pattern, such as **/*.ts"),
      excludePatterns: list({ type: "string" }, "Patterns of paths to leave out"),
    },
    ["excludePatterns"],
  ),
  tool(
    "mcp__files__get_file_info",
    `Get size, times of creation, change and access, permissions and kind of a file or directory, without its content. ${allowed}`,
    { path: text("Path of the file or directory") },
  ),
  tool(
    "mcp__files__list_allowed_directories",
    "List the directories that these functions may use. Helpful before other functions are tried.",
    {},
  ),
];

const gitTools = [
  tool("mcp__git__git_status", "Shows the state of the working tree.", { repo_path: repository }),
  tool(
    "mcp__git__git_diff_unstaged",
    "Shows changes in the working directory that are not staged yet.",
    { repo_path: repository, context_lines: number("Lines of context around each change, by default 3") },
    ["context_lines"],
  ),
  tool(
    "mcp__git__git_diff_staged",
    "Shows changes that are staged for a commit.",
    { repo_path: repository, context_lines: number("Lines of context around each change, by default 3") },
    ["context_lines"],
  ),
  tool(
    "mcp__git__git_diff",
    "Shows the differences between branches or commits.",
    {
      repo_path: repository,
      target: text("Branch or commit to compare with"),
      context_lines: number("Lines of context around each change, by default 3"),
    },
    ["context_lines"],
  ),
  tool("mcp__git__git_commit", "Records the staged changes in the repository.", {
    repo_path: repository,
    message: text("The commit's message"),
  }),
  tool("mcp__git__git_add", "Adds contents of files to what is staged.", {
    repo_path: repository,
    files: list({ type: "string" }, "Paths of the files to stage"),
  }),
  tool("mcp__git__git_reset", "Takes all staged changes out again.", { repo_path: repository }),
  tool(
    "mcp__git__git_log",
    "Shows the commits with hash, author, date and message.",
    {
      repo_path: repository,
      max_count: number("How many commits, by default 10"),
      start_timestamp: text("Only commits after this time, such as 2026-11-01 or 'yesterday'"),
      end_timestamp: text("Only commits before this time"),
    },
    ["max_count", "start_timestamp", "end_timestamp"],
  ),
  tool(
    "mcp__git__git_create_branch",
    "Creates a branch, from another one if it is given.",
    {
      repo_path: repository,
      branch_name: text("Name of the new branch"),
      base_branch: text("Branch to begin from; by default the present one"),
    },
    ["base_branch"],
  ),
  tool("mcp__git__git_checkout", "Switches to a branch.", {
    repo_path: repository,
    branch_name: text("Name of the branch"),
  }),
];

const entity = {
  type: "object",
  properties: {
    name: text("The name of the entity"),
    entityType: text("The kind of the entity"),
    observations: list({ type: "string" }, "What is known about it"),
  },
  required: ["name", "entityType", "observations"],
};
const relation = {
  type: "object",
  properties: {
    from: text("Name of the entity where the relation starts"),
    to: text("Name of the entity where it ends"),
    relationType: text("The kind of the relation, in the active voice"),
  },
  required: ["from", "to", "relationType"],
};
const otherTools = [
  tool("mcp__graph__create_entities", "Create several new entities in the knowledge graph.", {
    entities: list(entity, "The entities"),
  }),
  tool(
    "mcp__graph__create_relations",
    "Create several new relations between entities of the knowledge graph. Relations are in the active voice.",
    { relations: list(relation, "The relations") },
  ),
  tool(
    "mcp__graph__search_nodes",
    "Look for nodes of the knowledge graph by a query over names, kinds and observations.",
    { query: text("What to look for") },
  ),
  tool("mcp__graph__open_nodes", "Open certain nodes of the knowledge graph by their names.", {
    names: list({ type: "string" }, "Names of the entities"),
  }),
  tool(
    "mcp__fetch__fetch",
    "Fetches a URL from the internet and returns its content as Markdown. Long pages are cut; they can be read in pieces by 'start_index'.",
    {
      url: text("The URL"),
      max_length: number("Greatest number of characters, by default 5000"),
      start_index: number("Character where the output begins, by default 0"),
      raw: flag("Return the HTML as it is"),
    },
    ["max_length", "start_index", "raw"],
  ),
  tool("mcp__time__get_current_time", "Get the time in a time zone.", {
    timezone: text("IANA name of the time zone, such as Asia/Shanghai"),
  }),
  tool("mcp__time__convert_time", "Convert a time from one time zone to another.", {
    source_timezone: text("IANA name of the zone"),
    time: text("Time of day as HH:MM, 24 hours"),
    target_timezone: text("IANA name of the other zone"),
  }),
  tool(
    "mcp__issues__list_issues",
    "List issues of a project.",
    {
      project: text("Name of the project"),
      state: {
        type: "string",
        enum: ["open", "closed", "all"],
        description: "Which issues; by default open ones",
      },
      labels: list({ type: "string" }, "Only issues with these labels"),
      page: number("Page, from 1"),
    },
    ["state", "labels", "page"],
  ),
  tool(
    "mcp__issues__create_issue",
    "Create an issue in a project.",
    {
      project: text("Name of the project"),
      title: text("The title"),
      body: text("The text, in Markdown"),
      labels: list({ type: "string" }, "Labels"),
    },
    ["body", "labels"],
  ),
];

/** The functions of a desktop assistant with five MCP servers. */
export const mcpTools: readonly Tool[] = [...fileTools, ...gitTools, ...otherTools];

/** The functions of a coding agent. Two have the name of a tool of Kimi's own. */
export const agentTools: readonly Tool[] = [
  tool(
    "shell",
    "Runs a command in a persistent shell session and returns its output.\n\n- Paths with spaces are quoted.\n- Files are read, written and searched with the functions for that rather than with cat, sed and grep.\n- Commands that belong together are joined by &&.\n- Output beyond 30,000 characters is cut.",
    {
      command: text("The command"),
      timeout: number("Time limit in milliseconds, at most 600000"),
      description: text("What the command does, in five to ten words"),
    },
    ["timeout"],
  ),
  tool(
    "read_file",
    "Reads a file from the local file system.\n\n- The path is absolute.\n- By default up to 2,000 lines from the beginning are returned, each with its number.\n- Pictures are returned as pictures.",
    {
      file_path: text("Absolute path of the file"),
      offset: number("Line where reading begins"),
      limit: number("Number of lines"),
    },
    ["offset", "limit"],
  ),
  tool(
    "write",
    "Writes a file to the local file system, in place of an existing one, which has to be read before.",
    { file_path: text("Absolute path of the file"), content: text("The content") },
  ),
  tool(
    "edit",
    "Replaces an exact text in a file. The file has to be read before. The text must be unique in the file, or all places are replaced by replace_all. Line numbers are no part of the text.",
    {
      file_path: text("Absolute path of the file"),
      old_string: text("The text to replace"),
      new_string: text("The text in its place, which must differ"),
      replace_all: flag("Replace all places"),
    },
    ["replace_all"],
  ),
  tool(
    "glob",
    "Finds files by a pattern such as src/**/*.ts, the ones changed last first.",
    { pattern: text("The pattern"), path: text("Directory to look in; by default the working directory") },
    ["path"],
  ),
  tool(
    "grep",
    "Searches the contents of files with a regular expression.",
    {
      pattern: text("The regular expression"),
      path: text("File or directory; by default the working directory"),
      include: text("Pattern of the files, such as *.{ts,tsx}"),
      output_mode: {
        type: "string",
        enum: ["content", "files_with_matches", "count"],
        description: "What is returned",
      },
      "-i": flag("Ignore case"),
      "-C": number("Lines of context"),
    },
    ["path", "include", "output_mode", "-i", "-C"],
  ),
  tool(
    "list",
    "Lists files and directories.",
    {
      path: text("Absolute path of the directory"),
      ignore: list({ type: "string" }, "Patterns to leave out"),
    },
    ["ignore"],
  ),
  tool(
    "todo_write",
    "Keeps a list of the steps of the present task. Helpful where a task has three or more steps; one step at a time is in progress, and a step is completed as soon as it is done.",
    {
      todos: list(
        {
          type: "object",
          properties: {
            content: text("The step"),
            status: { type: "string", enum: ["pending", "in_progress", "completed"] },
            priority: { type: "string", enum: ["high", "medium", "low"] },
          },
          required: ["content", "status"],
        },
        "The whole list",
      ),
    },
  ),
  tool("web_fetch", "Fetches a page and answers a question about it.", {
    url: { type: "string", format: "uri", description: "The URL" },
    prompt: text("The question about the page"),
  }),
  tool(
    "task",
    "Starts another agent for a task with several steps, such as a search through a large code base. It reports once, at its end.",
    {
      description: text("The task in three to five words"),
      prompt: text("The whole task"),
      subagent_type: { type: "string", enum: ["general", "explore"], description: "Which agent" },
    },
  ),
  tool(
    "question",
    "Asks the user something where the request leaves a choice open.",
    { question: text("The question"), options: list({ type: "string" }, "Answers to choose from") },
    ["options"],
  ),
  tool("plan_done", "Ends the planning and shows the plan to the user.", {
    plan: text("The plan, in Markdown"),
  }),
];
