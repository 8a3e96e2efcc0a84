import { defaultAnswer, type Turn } from "../default-answer.js";
import { parseDirectives } from "../directives.js";
import type { Step } from "../steps.js";
import { answerFromResults } from "./answer-from-results.js";
import { fillArguments } from "./argument-roles.js";
import { type Family, familyNames, isFamily } from "./call-families.js";
import { type Demand, readDemand } from "./demand.js";
import { answerWithFault, type Draft, writeDraft } from "./faulty-answers.js";
import { splitFormat } from "./format-section.js";
import { simplestFunction } from "./function-choice.js";
import { JsonAnswers } from "./json-answers.js";
import { readMessageDirectives } from "./prompt-directives.js";
import { findNewestResult, readTaughtChat, type TaughtChat } from "./taught-chat.js";
import { appliesWithoutCall, needsCorrection, parseToolFaults, type ToolFault } from "./tool-faults.js";

/** How the model behaves where its messages ask for nothing else. */
export type TaughtModelOptions = {
  /** The form in which it writes its calls; default `own`, the one that it is asked for. */
  family?: Family;
};

const maxRemembered = 10_000;

/**
 * Plays a model that a prompt tells of functions, which Kimi's web chat does not have: it reads the description with a
 * reader of its own, calls what the newest message asks for, and answers from the results (docs/reference/simulator.md,
 * “A model that was told of functions”). Where a prompt asks for a format, it answers with JSON.
 */
export class TaughtModel {
  readonly #options: TaughtModelOptions;
  readonly #nextFault: () => ToolFault | undefined;
  readonly #jsonAnswers = new JsonAnswers();
  /** By account and message: how many answers were faulty, and the prompt of the latest of them. */
  readonly #faulty = new Map<string, { count: number; prompt: string }>();

  /** `nextFault` takes the configured fault of the next answer that has a call. */
  constructor(options: TaughtModelOptions, nextFault: () => ToolFault | undefined) {
    this.#options = options;
    this.#nextFault = nextFault;
  }

  /**
   * The steps of an answer; undefined if the chat was never told of functions, and the prompt asks for no format. Throws
   * ApiError for an unknown fault.
   */
  answer(turn: Turn, owner: string): Step[] | undefined {
    const { body, format } = splitFormat(turn.text);
    const told = format ? { ...turn, text: body, history: withoutFormats(turn.history) } : turn;
    const chat = readTaughtChat(told) ?? untaughtChat(told.text);
    const demand = chat && readDemand(chat);
    const called = chat && demand && this.#answerWithCall(told, { chat, demand, owner });
    if (called) return called;
    if (!format) return chat && demand && answerInProse(turn, chat, demand);
    const message = demand?.directives ?? { text: body, directives: parseDirectives(body) };
    return this.#jsonAnswers.answer(told, format, { ...message, prompt: turn.text, owner });
  }

  /** Undefined if the answer has neither a call nor a fault. */
  #answerWithCall(
    turn: Turn,
    { chat, demand, owner }: { chat: TaughtChat; demand: Demand; owner: string },
  ): Step[] | undefined {
    const fault = this.#chooseFault(demand, turn.text, owner);
    const draft = this.#draft(chat, demand, fault);
    if (fault) return withSurroundings(turn, demand, answerWithFault(fault, draft, turn));
    return demand.allowed.length > 0 ? withSurroundings(turn, demand, writeDraft(draft)) : undefined;
  }

  #draft(
    chat: TaughtChat,
    { wanted, allowed, directives, request }: Demand,
    fault: ToolFault | undefined,
  ): Draft {
    const asked = directives.directives.find(({ name }) => name === "family")?.value ?? "";
    const family = isFamily(asked) ? asked : (this.#options.family ?? "own");
    const shift = fault?.kind === "drift" ? request.rounds.length : 0;
    const drifted = familyNames[(familyNames.indexOf(family) + shift) % familyNames.length] ?? family;
    const simplest = simplestFunction(chat.functions);
    const anything = { name: simplest?.name ?? "shell", arguments: fillArguments(simplest?.schema, {}) };
    const calls = [allowed, wanted, [anything]].find(({ length }) => length > 0) ?? [];
    // A model that was told of no tag falls back on the tokens it was trained with.
    return { chat, family: chat.word ? drifted : "k2", word: chat.word ?? "", calls };
  }

  /** The fault of the message, as often as it asks for it, or else the next configured one. */
  #chooseFault({ directives, allowed }: Demand, prompt: string, owner: string): ToolFault | undefined {
    for (const [index, { fault, times }] of parseToolFaults(directives.directives).entries()) {
      if (allowed.length === 0 && !appliesWithoutCall(fault)) continue;
      if (fault.kind === "drift") return fault;
      const key = `${owner}\n${index}\n${directives.text}`;
      const before = this.#faulty.get(key) ?? { count: 0, prompt: "" };
      const isUncorrected = needsCorrection(fault) && before.prompt === prompt;
      if (before.count >= times && !isUncorrected) continue;
      this.#remember(key, { count: before.count + 1, prompt });
      return fault;
    }
    return allowed.length > 0 ? this.#nextFault() : undefined;
  }

  #remember(key: string, entry: { count: number; prompt: string }): void {
    this.#faulty.set(key, entry);
    const [oldest] = this.#faulty.keys();
    if (this.#faulty.size > maxRemembered && oldest !== undefined) this.#faulty.delete(oldest);
  }
}

function withoutFormats(history: Turn["history"]): Turn["history"] {
  return history.map((message) => ({ ...message, text: splitFormat(message.text).body }));
}

/** The chat of a prompt that tells of no functions, but asks for the fault of calling one all the same. */
function untaughtChat(text: string): TaughtChat | undefined {
  if (!text.includes("call-anyway")) return undefined;
  const isAsked = parseToolFaults(readMessageDirectives(text).directives).some(
    ({ fault }) => fault.kind === "call-anyway",
  );
  if (!isAsked) return undefined;
  return {
    functions: new Map(),
    word: undefined,
    example: undefined,
    reminder: { kind: "prose" },
    entries: [{ kind: "user", text }],
    workingDirectory: undefined,
  };
}

/** The answer without a call: the newest result with `sim:quote`, what results say, or the answer to any other prompt. */
function answerInProse(
  turn: Turn,
  chat: TaughtChat,
  { directives, request, tasks, hasResult }: Demand,
): Step[] {
  const names = directives.directives.map(({ name }) => name);
  if (names.includes("quote"))
    return [{ do: "text", content: findNewestResult(chat.entries)?.text ?? request.text }];
  const isOfCalls = names.every((name) => name === "family" || name === "tool-fault");
  if (hasResult && isOfCalls)
    return [{ do: "text", content: answerFromResults(tasks, request.rounds.flat()) }];
  return defaultAnswer({ ...turn, text: directives.text || request.text }, directives.directives, {
    prompt: turn.text,
  });
}

/** With `sim:think` thinking comes before the calls, with `sim:say` a text; the first answer names the chat. */
function withSurroundings(turn: Turn, { directives, request }: Demand, answer: Step[]): Step[] {
  const asked = directives.directives.filter(({ name }) => name === "think" || name === "say");
  const isSaying = asked.some(({ name }) => name === "say");
  const before: Step[] = [];
  for (const step of defaultAnswer({ ...turn, text: directives.text || request.text }, asked)) {
    if (step.do === "think") before.push(step);
    if (step.do === "text" && isSaying) before.push(step, { do: "text", content: "\n\n" });
  }
  return [...before, ...answer, ...(turn.history.length === 0 ? [{ do: "name" as const }] : [])];
}
