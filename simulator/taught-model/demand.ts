import { answerFromResults } from "./answer-from-results.js";
import { fillArguments } from "./argument-roles.js";
import { chooseFunction, simplestFunction } from "./function-choice.js";
import { nextRequestedCalls, nextTaskCalls } from "./plan.js";
import { type MessageDirectives, type RequestedCall, readMessageDirectives } from "./prompt-directives.js";
import { readTasks, type Task } from "./tasks.js";
import { findNewestResult, findOpenRequest, type OpenRequest, type TaughtChat } from "./taught-chat.js";

/** What one turn asks of the model. */
export type Demand = {
  request: OpenRequest;
  /** The directives of the newest result, if it has any, or else of the user's words. */
  directives: MessageDirectives;
  tasks: readonly Task[];
  /** The newest message is a result. */
  hasResult: boolean;
  /** The calls that the messages ask for. */
  wanted: readonly RequestedCall[];
  /** The calls that an obedient model writes, since the reminder may forbid or require some. */
  allowed: readonly RequestedCall[];
};

/** Finds out what a turn asks for. */
export function readDemand(chat: TaughtChat): Demand {
  const request = findOpenRequest(chat.entries);
  const result = findNewestResult(chat.entries);
  const ofResult = readMessageDirectives(result?.text ?? "");
  const isOfResult = ofResult.text !== "";
  const ofRequest = readMessageDirectives(request.text);
  const tasks = isOfResult || ofRequest.text !== "" ? [] : readTasks(request.text);
  const calls = isOfResult
    ? nextRequestedCalls(chat, ofResult.rounds, 0)
    : ofRequest.rounds.length > 0
      ? nextRequestedCalls(chat, ofRequest.rounds, request.rounds.length)
      : nextTaskCalls(chat, tasks, request);
  const wanted = calls ?? finishingCall(chat, tasks, request);
  return {
    request,
    directives: isOfResult ? ofResult : result ? forLaterRounds(ofRequest) : ofRequest,
    tasks,
    hasResult: result !== undefined,
    wanted,
    allowed: applyReminder(chat, wanted),
  };
}

/** Once results have come, a message's directives about calls still apply; those about the text have been followed. */
function forLaterRounds(message: MessageDirectives): MessageDirectives {
  const kept = ["family", "tool-fault", "quote"];
  return { ...message, directives: message.directives.filter(({ name }) => kept.includes(name)) };
}

/** Some agents have a function by which a task ends, such as Cline's `attempt_completion`. */
function finishingCall(
  { functions }: TaughtChat,
  tasks: readonly Task[],
  { rounds }: OpenRequest,
): readonly RequestedCall[] {
  const finish = tasks.length === 0 ? undefined : chooseFunction(functions, "finish");
  if (!finish) return [];
  const answer = answerFromResults(tasks, rounds.flat());
  return [{ name: finish.name, arguments: fillArguments(finish.schema, { answer, content: answer }) }];
}

/** A reminder may say that the answer is prose, or that it is a call, of which function, and that it is a single one. */
function applyReminder(
  { reminder, functions }: TaughtChat,
  wanted: readonly RequestedCall[],
): readonly RequestedCall[] {
  if (reminder.kind === "prose") return [];
  if (reminder.kind !== "call") return wanted;
  const named = [...functions.values()].find(({ name }) => hasWord(reminder.text, name));
  const fitting = named ? wanted.filter(({ name }) => name === named.name) : wanted;
  const chosen = named ?? simplestFunction(functions);
  const substitute = chosen ? [{ name: chosen.name, arguments: fillArguments(chosen.schema, {}) }] : [];
  const due = fitting.length > 0 ? fitting : substitute;
  return reminder.single ? due.slice(0, 1) : due;
}

function hasWord(text: string, word: string): boolean {
  return text.split(/[^\w.-]+/).some((part) => part === word || part === `${word}.`);
}
