import { limits } from "../core/limits.js";
import { isSystem } from "../core/message-content.js";
import type { MediaPart, Message, Part } from "../core/types.js";
import { cutPosition } from "../lib/text-chunks.js";

/** How much of a conversation one prompt takes. */
export type PromptRoom = {
  /** Characters for the conversation. */
  conversation: number;
  /** To how many of them results before the newest ones are shortened there; undefined if they are sent whole. */
  oldResult: number | undefined;
};

/** A conversation that is too long for a prompt. */
export type DividedHistory = {
  /** The system messages before `newest`. */
  system: Message[];
  /** The end of the conversation. */
  newest: Message[];
  /** The other messages before `newest`, which are in the file alone. */
  older: Message[];
  /** All that goes into the file, in order: `older`, and the messages that `system` and `newest` have shortened. */
  filed: Message[];
};

type Measured = { message: Message; length: number };

/** Whether the messages are too long for one prompt. */
export function isTooLongForPrompt(messages: readonly Message[], room: PromptRoom): boolean {
  // Results may be shortened, so only the whole length is quick to say.
  const length = messages.reduce((sum, message) => sum + lengthOf(message), 0);
  if (length <= room.conversation || room.oldResult === undefined) return length > room.conversation;
  return totalLength(measure(messages, room)) > room.conversation;
}

/**
 * Divides a conversation that is too long for a prompt. System messages stay, and of the end as much as fits: whole turns if
 * `limits.promptTurns` of them do, else whole rounds of calls, and the last round in any case. Where the system messages take
 * more than half of the room, or the last round more than is left, long messages keep their beginning and end.
 */
export function divideHistory(messages: readonly Message[], room: PromptRoom): DividedHistory {
  const measured = measure(messages, room);
  const spoken = measured.filter(({ message }) => !isSystem(message));
  const available = room.conversation - limits.promptFileNote;
  const system = measured.filter(({ message }) => isSystem(message));
  const shortSystem = shorten(system, available / 2);
  const left = available - Math.min(totalLength(system), available / 2);
  const start = startOfNewest(spoken, left);
  const shortened = new Map([...shortSystem, ...shorten(spoken.slice(start), left)]);
  const first = spoken[start];
  const cut = first ? messages.indexOf(first.message) : messages.length;
  const sent = (each: readonly Message[]) => each.map((message) => shortened.get(message) ?? message);
  return {
    system: sent(messages.slice(0, cut).filter(isSystem)),
    newest: sent(messages.slice(cut)),
    older: messages.slice(0, cut).filter((message) => !isSystem(message)),
    filed: messages.filter((message, index) => (index < cut && !isSystem(message)) || shortened.has(message)),
  };
}

/** Characters of a role, and of an attachment's number. */
const labelLength = 20;

function measure(messages: readonly Message[], { oldResult }: PromptRoom): Measured[] {
  const newestRound = messages.findLastIndex(({ role }) => role === "assistant");
  return messages.map((message, index) => {
    const length = lengthOf(message);
    const isOldResult = message.role === "tool" && index < newestRound && oldResult !== undefined;
    return { message, length: isOldResult ? Math.min(length, oldResult + 100) : length };
  });
}

function lengthOf(message: Message): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const texts = message.content.reduce(
    (sum, part) => sum + (part.type === "text" ? part.text.length : (part.name ?? "").length + labelLength),
    labelLength,
  );
  return calls.reduce((sum, call) => sum + call.name.length + call.arguments.length + labelLength, texts);
}

function totalLength(measured: readonly Measured[]): number {
  return measured.reduce((sum, { length }) => sum + length, 0);
}

/** The index from which on the messages stay in the prompt. */
function startOfNewest(spoken: readonly Measured[], room: number): number {
  let start = spoken.length;
  for (let left = room; start > 0; start--) {
    left -= spoken[start - 1]?.length ?? 0;
    if (left < 0) break;
  }
  const roles = spoken.map(({ message }) => message.role);
  const rounds = roles.flatMap((_, index) => (beginsRound(roles, index) ? [index] : []));
  const fitting = rounds.filter((index) => index >= start);
  const turns = fitting.filter((index) => roles[index] === "user");
  const first = turns.length >= limits.promptTurns ? turns[0] : fitting[0];
  return first ?? startOfLastRound(spoken, rounds.at(-1) ?? 0, room);
}

/** Whether a turn or a round of calls begins here. Results belong to the calls before them, and so does what follows them. */
function beginsRound(roles: readonly Message["role"][], index: number): boolean {
  const [before, role] = [roles[index - 1], roles[index]];
  return role === "assistant" || (role === "user" && before !== "user" && before !== "tool");
}

/** A last round that is too long is kept without its calls if they alone take most of the room. */
function startOfLastRound(spoken: readonly Measured[], start: number, room: number): number {
  const first = spoken[start];
  const isMostlyCalls = first?.message.role === "assistant" && first.length > room / 2;
  return isMostlyCalls && start < spoken.length - 1 ? start + 1 : start;
}

/** The messages that have to be shortened to fit: the longest ones, to equal lengths. */
function shorten(measured: readonly Measured[], room: number): Map<Message, Message> {
  const longest = longestThatFits(
    measured.map(({ length }) => length),
    room,
  );
  const ends = Math.max(0, Math.min(limits.longMessageEnds, Math.floor((longest - markLength) / 2)));
  const long = measured.filter(({ length }) => length > longest);
  return new Map(long.map(({ message }) => [message, keepEnds(message, ends)]));
}

/** Characters of the mark in a shortened message, and of its label. */
const markLength = 120;

/** The length to which the longest have to be shortened so that all fit. */
function longestThatFits(lengths: readonly number[], room: number): number {
  let left = room;
  for (const [index, length] of lengths.toSorted((a, b) => a - b).entries()) {
    const share = left / (lengths.length - index);
    if (length > share) return share;
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

/** A message with so many characters of its beginning and of its end; pictures and files stay in their places. */
function keepEnds(message: Message, length: number): Message {
  const total = message.content.reduce((sum, part) => sum + textLength(part), 0);
  const omitted = total - 2 * length;
  if (omitted <= 0) return message;
  const mark = `\n[… ${omitted.toLocaleString("en-US")} characters, which are in the attached file …]\n`;
  const content: Part[] = [];
  let position = 0;
  for (const part of message.content) {
    const end = position + textLength(part);
    if (part.type !== "text" || end <= length || position >= total - length) content.push(part);
    else {
      const head = part.text.slice(0, cutWithin(part.text, length - position));
      const tail = part.text.slice(cutWithin(part.text, total - length - position));
      const middle = position <= length ? mark : "";
      content.push({ type: "text", text: head + middle + tail });
    }
    position = end;
  }
  return { ...message, content };
}

function textLength(part: Part): number {
  return part.type === "text" ? part.text.length : 0;
}

function cutWithin(text: string, position: number): number {
  if (position <= 0) return 0;
  return position >= text.length ? text.length : cutPosition(text, position);
}

/** The pictures and files of messages, in order. */
export function mediaOf(messages: readonly Message[]): MediaPart[] {
  return messages.flatMap(({ content }) => content.filter((part) => part.type !== "text"));
}
