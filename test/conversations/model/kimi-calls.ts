import type { Step, Turn } from "../../../simulator/index.js";
import { answerTo, unfinished } from "./texts.js";
import { wordsOf } from "./words.js";

/** A call that Kimi accepted: what it holds then, and what it answers. */
export type KimiCall = {
  serial: number;
  chatId: string;
  isNewChat: boolean;
  question: string;
  answer: string;
  /** The branch of messages that Kimi holds for the answer, with the new message. */
  branch: readonly string[];
  words: ReadonlySet<string>;
};

/** What is known of a chat on Kimi's side. */
export type KimiChat = {
  /** The latest call in it. */
  latest: number;
  /** Deleted, expired, or its state in the store is uncertain. */
  isLost: boolean;
  /** The conversation that used it, with the round of the latest use. */
  users: Map<number, number>;
};

const serialBits = 16;

/**
 * Answers the calls to Kimi and keeps them for inspection. An answer ends with its serial number in invisible
 * characters, which clients cut off; so a response shows which call it comes from, even where answers are equal.
 */
export class KimiCalls {
  readonly chats = new Map<string, KimiChat>();
  readonly #unclaimed = new Map<number, KimiCall>();
  /** How often a question was asked, for those with a word of their own. */
  readonly #timesAsked = new Map<string, number>();
  #serial = 0;

  get latestSerial(): number {
    return this.#serial;
  }

  /** The script of the simulator. */
  readonly script = ({ chatId, text, history }: Turn): Step[] => {
    this.#serial += 1;
    const question = lastQuestion(text);
    const answer = answerTo(question, this.#countVariant(question));
    const branch = [...history.map((message) => message.text), text];
    const call = {
      serial: this.#serial,
      chatId,
      isNewChat: history.length === 0,
      question,
      answer,
      branch,
      words: new Set(branch.flatMap(wordsOf)),
    };
    this.#unclaimed.set(call.serial, call);
    this.chat(chatId).latest = call.serial;
    const middle = Math.ceil(answer.length / 2);
    const start: Step = { do: "text", content: [answer.slice(0, middle)] };
    if (question.includes(unfinished.stall)) return [start, { do: "stall" }];
    if (question.includes(unfinished.cut)) return [start, { do: "cut" }];
    const end = [answer.slice(middle), encodeSerial(call.serial)];
    return [start, { do: "text", content: end }];
  };

  chat(chatId: string): KimiChat {
    let chat = this.chats.get(chatId);
    if (!chat) {
      chat = { latest: 0, isLost: false, users: new Map() };
      this.chats.set(chatId, chat);
    }
    return chat;
  }

  /** The call that gave this answer; it is returned once. */
  claim(answer: string): KimiCall | undefined {
    const serial = decodeSerial(answer, this.#serial);
    const call = serial === undefined ? undefined : this.#unclaimed.get(serial);
    if (call) this.#unclaimed.delete(call.serial);
    return call;
  }

  /** Removes and returns the calls whose answers nobody has got. */
  takeUnclaimed(): KimiCall[] {
    const calls = [...this.#unclaimed.values()];
    this.#unclaimed.clear();
    return calls;
  }

  /** Asked again, a question gets another answer, except one time in four. */
  #countVariant(question: string): number {
    if (wordsOf(question).length === 0) return 0;
    const times = this.#timesAsked.get(question) ?? 0;
    this.#timesAsked.set(question, times + 1);
    return times - Math.floor(times / 4);
  }
}

/** The last paragraph of a message, which may be a transcript. */
function lastQuestion(text: string): string {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  return line.startsWith("user: ") ? line.slice("user: ".length) : line;
}

function encodeSerial(serial: number): string {
  const bits = Array.from({ length: serialBits }, (_, bit) => ((serial >> bit) & 1 ? "\t" : " "));
  return `\n${bits.join("")}`;
}

/** The latest serial number up to `latest` that this answer may carry. */
function decodeSerial(answer: string, latest: number): number | undefined {
  const bits = /\n([ \t]{16})$/.exec(answer)?.[1];
  if (!bits) return undefined;
  const low = Array.from(bits).reduce((sum, bit, index) => sum + (bit === "\t" ? 2 ** index : 0), 0);
  const turns = Math.floor((latest - low) / 2 ** serialBits);
  return low + turns * 2 ** serialBits;
}
