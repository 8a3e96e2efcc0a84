import type { JsonObject } from "../json.js";
import { fillArguments, type RoleValues } from "./argument-roles.js";
import { chooseFunction, findFunction, type Purpose } from "./function-choice.js";
import type { RequestedCall } from "./prompt-directives.js";
import type { Task } from "./tasks.js";
import type { OpenRequest, ResultEntry, TaughtChat } from "./taught-chat.js";

/** The calls of the next step; undefined if nothing is left to be called. */
export type NextCalls = RequestedCall[] | undefined;

/** The next of the calls that directives ask for: one round for each round of results. */
export function nextRequestedCalls(
  chat: TaughtChat,
  rounds: readonly RequestedCall[][],
  done: number,
): NextCalls {
  return rounds[done]?.map((call) => ({
    ...call,
    name: findFunction(chat.functions, call.name)?.name ?? call.name,
  }));
}

/** The next call for tasks; undefined if all are done, or if no function fits. */
export function nextTaskCalls(chat: TaughtChat, tasks: readonly Task[], { rounds }: OpenRequest): NextCalls {
  const calls = tasks.flatMap((task) => callsOfTask(chat, task));
  const [latest] = rounds.at(-1) ?? [];
  const call = calls[rounds.length]?.(latest);
  return call === undefined ? undefined : [call];
}

/** A call, with the result of the call before it. */
type PlannedCall = (latest: ResultEntry | undefined) => RequestedCall;

/** Agents refuse to change a file that was not read before. */
function callsOfTask(chat: TaughtChat, task: Task): PlannedCall[] {
  const plan = (purpose: Purpose, values: RoleValues): PlannedCall[] => {
    const call = planCall(chat, purpose, values);
    return call ? [() => call] : [];
  };
  switch (task.kind) {
    case "read":
      return plan("read", { path: task.path });
    case "run":
      return plan("run", { command: task.command });
    case "write":
      return plan("write", { path: task.path, content: task.content });
    case "edit": {
      const { path, before, after } = task;
      const edit = plan("edit", { path, before, after, diff: searchReplaceBlock(before, after) });
      return edit.length === 0 ? [] : [...plan("read", { path }), ...edit];
    }
    case "copy":
      return [
        ...plan("read", { path: task.path }),
        ...plan("write", { path: task.to, content: "" }).map(
          (write): PlannedCall =>
            (latest) =>
              planCall(chat, "write", { path: task.to, content: latest?.text ?? "" }) ?? write(latest),
        ),
      ];
  }
}

function planCall(chat: TaughtChat, purpose: Purpose, values: RoleValues): RequestedCall | undefined {
  const chosen = chooseFunction(chat.functions, purpose);
  if (!chosen) return undefined;
  const path = values.path === undefined ? {} : { path: toAbsolute(values.path, chat.workingDirectory) };
  const filled: JsonObject = fillArguments(chosen.schema, withoutSecondForm(values, chosen.schema, path));
  return { name: chosen.name, arguments: filled };
}

/** Some functions write a new file by the argument that an edit has for the new text. */
function withoutSecondForm(values: RoleValues, schema: JsonObject | undefined, path: RoleValues): RoleValues {
  const { content } = values;
  const filled = fillArguments(schema, { content: content ?? "" });
  const takesContent = schema === undefined || Object.values(filled).includes(content);
  if (content === undefined || takesContent) return { ...values, ...path };
  return { after: content, ...path };
}

/** The form of an edit in a function that takes a `diff`, as Cline's has. */
function searchReplaceBlock(before: string, after: string): string {
  return `------- SEARCH\n${before}\n=======\n${after}\n+++++++ REPLACE\n`;
}

/** An agent that names its directory wants absolute paths. */
function toAbsolute(path: string, workingDirectory: string | undefined): string {
  const isAbsolute = /^([/~]|[A-Za-z]:\\)/.test(path);
  return isAbsolute || workingDirectory === undefined
    ? path
    : `${workingDirectory}/${path.replace(/^\.\//, "")}`;
}
