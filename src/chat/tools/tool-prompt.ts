import { limits } from "../../core/limits.js";
import type { Message, Tool, ToolCall, ToolChoice } from "../../core/types.js";
import { hash } from "../../lib/hash.js";
import { noTextError } from "../transcript.js";
import { escapeMarkup } from "./escape-markup.js";
import { clip, oneLine } from "./one-line.js";
import { ToolAliases } from "./tool-aliases.js";
import { HistoryWriter } from "./tool-history.js";
import { proseReminder, writeReminder } from "./tool-reminder.js";
import { writeSection, writeToolNews } from "./tool-section.js";
import { createToolState, type ToolState } from "./tool-state.js";

export type ToolPromptInput = {
  /** The messages that the chat does not have: the whole transcript for a new chat. */
  messages: readonly Message[];
  /** The request's other messages, which the chat or a file has: their calls name the functions of new results. */
  before: readonly Message[];
  /** Each name once. Empty: the request declares none, or none any more. */
  tools: readonly Tool[];
  toolChoice: ToolChoice | undefined;
  parallelToolCalls: boolean | undefined;
  /** Undefined for a new chat. */
  state: ToolState | undefined;
  /** The client's names of functions whose whole description is told again. */
  resendFor?: readonly string[];
  /** The shorter section, after the model took the long one for an injection. */
  isShort?: boolean;
  /** A line in front of the reminder; see `correctionLine`. */
  correction?: string;
  /** Characters beyond which results before the newest ones are clipped. */
  maxOldResultCharacters: number;
};

/**
 * What to send instead of the messages: one user message, with the same pictures and files. `state` belongs to the turn, and
 * `aliases` are those that the model knows after it.
 */
export type ToldTurn = { messages: Message[]; state: ToolState; aliases: ToolAliases };

/**
 * Writes a turn's messages with what the model has to be told of the client's functions: all of it in the first turn that
 * may have calls, later only what is new, and in every turn the form as its last line. Throws `invalid_request` if the
 * messages are empty.
 */
export function tellTools(input: ToolPromptInput): ToldTurn {
  const before = input.state ?? createToolState();
  const { tools } = input;
  const aliases = new ToolAliases(tools, before.aliases);
  const history = new HistoryWriter({
    messages: input.messages,
    openCalls: findOpenCalls(input),
    aliases,
    word: before.word,
    maxOldResultCharacters: input.maxOldResultCharacters,
  });
  const paragraphs = history.write();
  if (paragraphs.length === 0) throw noTextError();
  const canCall = tools.length > 0 && input.toolChoice !== "none";
  const telling = canCall
    ? tellFunctions(input, { tools, aliases, state: before })
    : { text: "", state: before };
  const wasTold = Object.keys(before.told).length > 0 || [...input.before, ...input.messages].some(hasCalls);
  const reminder = canCall
    ? writeReminder({ ...input, aliases, word: before.word })
    : wasTold
      ? proseReminder
      : "";
  const parts = [
    telling.text,
    ...withoutLoneRole(paragraphs, input.messages, telling.text),
    input.correction ?? "",
    reminder,
  ];
  const text = parts.filter((part) => part !== "").join("\n\n");
  const { turns, characters, told } = telling.state;
  return {
    messages: [{ role: "user", content: [{ type: "text", text }, ...history.media] }],
    state: { word: before.word, told, aliases: aliases.renamed, turns, characters: characters + text.length },
    aliases,
  };
}

/** The line that tells the model what was wrong with a call; neither its form nor a tag of ours is quoted. */
export function correctionLine({ written, problem }: { written: string; problem: string }): string {
  const quoted = clip(oneLine(written.replace(/<\/?call-[a-z0-9]{4}>/gi, " ")), limits.quotedCall);
  return escapeMarkup(
    `(The program could not carry out this call: ${quoted} – ${clip(oneLine(problem), limits.quotedCall)})`,
  );
}

type Telling = { text: string; state: ToolState };

/** The section, or in a chat that has it what is new about the functions. */
function tellFunctions(
  { messages, before, toolChoice, resendFor = [], isShort = false }: ToolPromptInput,
  { tools, aliases, state }: { tools: readonly Tool[]; aliases: ToolAliases; state: ToolState },
): Telling {
  const digests = new Map(tools.map((tool) => [tool.name, digestTool(tool, aliases.told(tool.name))]));
  const known = new Map(Object.entries(state.told).filter(([name]) => digests.has(name)));
  const forced = typeof toolChoice === "object" ? toolChoice.name : undefined;
  const whole = new Set(forced === undefined ? resendFor : [...resendFor, forced]);
  const described = { aliases, whole, recent: recentlyCalled([...before, ...messages]), isShort };
  if (Object.keys(state.told).length === 0) {
    const { text, inShort } = writeSection({ ...described, tools }, state.word);
    const told = markTold(digests, new Map(), inShort);
    return { text, state: { ...state, told, turns: 0, characters: 0 } };
  }
  const isDue = state.turns >= limits.toolSignatureTurns || state.characters >= limits.toolSignatureText;
  const isUntold = ({ name }: Tool) => {
    const digest = known.get(name);
    const isInShort = digest?.endsWith(signatureMark) ?? false;
    if (resendFor.includes(name) || (name === forced && isInShort)) return true;
    return digest?.replace(signatureMark, "") !== digests.get(name);
  };
  const news = tools.filter(isUntold);
  const { text, inShort } = writeToolNews({
    ...described,
    tools: news,
    signaturesOf: isDue ? tools : [],
    removed: Object.keys(state.told).flatMap((name) => (digests.has(name) ? [] : aliases.told(name))),
  });
  for (const { name } of news) known.delete(name);
  const told = markTold(digests, known, inShort);
  const counters = isDue
    ? { turns: 0, characters: 0 }
    : { turns: state.turns + 1, characters: state.characters };
  return { text, state: { ...state, told, ...counters } };
}

const signatureMark = "~";

/** The state's digests after a turn. `unchanged`: those of functions of which the turn did not tell. */
function markTold(
  digests: ReadonlyMap<string, string>,
  unchanged: ReadonlyMap<string, string>,
  inShort: ReadonlySet<string>,
): Record<string, string> {
  const told = [...digests].map(([name, digest]) => {
    const news = inShort.has(name) ? `${digest}${signatureMark}` : digest;
    return [name, unchanged.get(name) ?? news] as const;
  });
  return Object.fromEntries(told);
}

function digestTool({ description = "", parameters }: Tool, told: string): string {
  return hash(told, description, JSON.stringify(parameters)).slice(0, 12);
}

/** The calls after which the next messages come; none if they were answered before, or in a file. */
function findOpenCalls({
  before,
  messages,
}: Pick<ToolPromptInput, "before" | "messages">): readonly ToolCall[] {
  const index = before.findLastIndex(({ role }) => role === "assistant");
  const last = before[index];
  const told = new Set(messages.flatMap((each) => (each.role === "tool" ? [each.toolCallId] : [])));
  const isAnswered = before
    .slice(index + 1)
    .some((each) => each.role === "tool" && !told.has(each.toolCallId));
  return last?.role === "assistant" && !isAnswered ? (last.toolCalls ?? []) : [];
}

function hasCalls(message: Message): boolean {
  return message.role === "tool" || (message.role === "assistant" && (message.toolCalls ?? []).length > 0);
}

/** The names of functions that were called, the newest first. */
function recentlyCalled(messages: readonly Message[]): string[] {
  const names = messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []) : [],
  );
  return [...new Set(names.map(({ name }) => name).reverse())];
}

/** A single message of the user's needs no role in front where nothing else is said. */
function withoutLoneRole(paragraphs: string[], messages: readonly Message[], telling: string): string[] {
  const [only, ...others] = paragraphs;
  const [user] = messages;
  if (telling !== "" || only === undefined || others.length > 0 || user?.role !== "user") return paragraphs;
  return [only.replace(/^user: /, "")];
}
