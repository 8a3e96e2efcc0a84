import type { ChatEvent, MediaPart, Message } from "../core/types.js";
import { TimeSlicer } from "../lib/time-slicing.js";
import type { Attachments } from "./attachments.js";
import {
  type DividedHistory,
  divideHistory,
  isTooLongForPrompt,
  mediaOf,
  type PromptRoom,
} from "./long-history.js";
import { UnpreparedError } from "./thread.js";
import { escapeMarkup } from "./tools/escape-markup.js";
import { formatMessage } from "./transcript.js";

/** The name of the file with what does not fit into a prompt. */
const fileName = "earlier-conversation.txt";

/**
 * `isEscaped`: whether the model is told of functions, so that texts must not imitate calls. `prompt`: characters of the
 * longest prompt, with all that transforms add.
 */
export type LongPromptOptions = PromptRoom & { isEscaped: boolean; prompt: number };

/** What is sent instead of messages that are too long for one prompt. */
export type FiledPrompt = {
  instead: readonly Message[];
  messages: Message[];
  /** To be emitted once. */
  notice: ChatEvent | undefined;
};

/**
 * The messages of one turn, where they are too long for one prompt: the older part is uploaded as a text file, as Kimi's own
 * page does it with long texts (kimi-web.md §6 row 8). Pictures and files of that part stay attachments.
 */
export class LongPrompts {
  readonly #attachments: Attachments;
  readonly #options: LongPromptOptions | undefined;
  readonly #prepared: FiledPrompt[] = [];

  /** Without options nothing counts as too long: the upstream takes no files. */
  constructor(attachments: Attachments, options: LongPromptOptions | undefined) {
    this.#attachments = attachments;
    this.#options = options;
  }

  /** Whether the messages are too long for one prompt. */
  areIn(messages: readonly Message[]): boolean {
    return this.#options !== undefined && isTooLongForPrompt(messages, this.#options);
  }

  /** What to send: the messages, or what is left of them when the older part is uploaded. Throws what an upload throws. */
  async prepare(messages: readonly Message[], signal: AbortSignal): Promise<readonly Message[]> {
    const found = this.#findPrepared(messages);
    if (found) return found.messages;
    if (!this.#options || !this.areIn(messages)) return messages;
    const divided = divideHistory(messages, this.#options);
    const pieces = await writeFile(divided, this.#options);
    const file = await this.#attachments.attachText(fileName, pieces, signal);
    const prompt = {
      instead: messages,
      messages: writePrompt(divided, file),
      notice: createNotice(divided, this.#options),
    };
    this.#prepared.push(prompt);
    return prompt.messages;
  }

  /** What `prepare` has made of the messages; undefined if they fit. Throws UnpreparedError if it has not seen them. */
  find(messages: readonly Message[]): FiledPrompt | undefined {
    if (!this.areIn(messages)) return undefined;
    const found = this.#findPrepared(messages);
    if (!found) throw new UnpreparedError();
    return found;
  }

  #findPrepared(messages: readonly Message[]): FiledPrompt | undefined {
    return this.#prepared.find(
      ({ instead }) =>
        instead.length === messages.length && instead.every((message, index) => message === messages[index]),
    );
  }
}

/** The text of the file in pieces: paragraphs as those of a transcript, attachments numbered as they are in the message. */
async function writeFile(
  { system, newest, older, filed }: DividedHistory,
  { isEscaped }: LongPromptOptions,
): Promise<string[]> {
  const numbers = new Map<MediaPart, number>();
  const systemMedia = mediaOf(system);
  for (const [index, part] of systemMedia.entries()) numbers.set(part, index + 1);
  // The file itself comes between.
  for (const [index, part] of [...mediaOf(older), ...mediaOf(newest)].entries())
    numbers.set(part, systemMedia.length + index + 2);
  const slicer = new TimeSlicer();
  const pieces: string[] = [];
  for (const message of filed) {
    const paragraph = formatMessage(message, (part) => numbers.get(part) ?? 0);
    for (const piece of isEscaped ? splitAtSpaces(paragraph) : [paragraph]) {
      pieces.push(isEscaped ? escapeMarkup(piece) : piece);
      await slicer.yieldIfDue();
    }
    pieces.push("\n\n");
  }
  return pieces;
}

/** Characters that are escaped in one step: a millisecond of work, or a few if there is much to escape. */
const escapedLength = 131_072;

/** Pieces of at least that length, which end with a space, since the tag of a call has none. */
function* splitAtSpaces(text: string): Generator<string> {
  const space = /\s/g;
  for (let start = 0; start < text.length; ) {
    space.lastIndex = start + escapedLength;
    const end = space.test(text) ? space.lastIndex : text.length;
    yield text.slice(start, end);
    start = end;
  }
}

/** The messages to send, with a note that refers to the file and has the attachments of the older messages. */
function writePrompt({ system, newest, older, filed }: DividedHistory, file: MediaPart): Message[] {
  const shortened = "the whole text of messages that are shortened here";
  const count = older.length.toLocaleString("en-US");
  const text =
    older.length === 0
      ? `The attached file ${fileName} has ${shortened}. It is to be read first.`
      : `The earlier part of this conversation, ${count} messages, is in the attached file ${fileName}, which is to be read first. What follows here continues it.`;
  const also = older.length > 0 && filed.length > older.length ? ` The file also has ${shortened}.` : "";
  const note: Message = {
    role: "system",
    content: [{ type: "text", text: `${text}${also}\n` }, file, ...mediaOf(older)],
  };
  return [...system, note, ...newest];
}

function createNotice({ filed }: DividedHistory, { prompt }: LongPromptOptions): ChatEvent {
  const bound = prompt.toLocaleString("en-US");
  const messages = filed.length === 1 ? "1 message" : `${filed.length.toLocaleString("en-US")} messages`;
  return {
    type: "notice",
    code: "conversation_in_file",
    message: `The conversation is longer than one prompt to Kimi (${bound} characters): ${messages} of it went as the file ${fileName}, the newest ones in the prompt.`,
  };
}
