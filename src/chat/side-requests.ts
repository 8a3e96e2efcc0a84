import type { Message } from "../core/types.js";

/**
 * How chat UIs begin the requests they make on the side: titles, tags, follow-up questions, search queries, summaries
 * for their own memory. Each pattern is looked for in the system text and at both ends of the last message.
 */
const known: readonly RegExp[] = [
  // Open WebUI: every task prompt begins like this.
  /^### Task:\s*\n?\s*(Generate|Suggest|Analyze|You are an autocompletion|Your task is to)/i,
  // LobeChat and Cherry Studio: the topic's title.
  /^You are a professional conversation summarizer\. Generate a concise title/i,
  /summarize the user's conversation into a title within \d+ (words|characters)/i,
  /(将|把)用户的(会话|对话)总结为\s*\d+\s*个字以内的标题/,
  // NextChat: the topic, and the summary it keeps as memory.
  /^使用四到五个字直接返回这句话的简要主题/,
  /^Please generate a four to five word title summarizing our conversation/i,
  /^简要总结一下对话内容，用作后续的上下文提示/,
  /^Summarize (the|our) discussion briefly in \d+ words or less to use as a prompt for future context/i,
  // Cherry Studio: its search rewriting.
  /^You are an AI question rephraser/i,
  // opencode and others.
  /^You are a title generator/i,
];

/** Recognises the chores of chat UIs; `extra` are patterns of the person's own. */
export class Chores {
  readonly #patterns: readonly RegExp[];

  constructor(extra: readonly string[] = []) {
    this.#patterns = [...known, ...extra.map((pattern) => new RegExp(pattern, "i"))];
  }

  isChore(messages: readonly Message[]): boolean {
    const last = messages.at(-1);
    const system = messages.filter(({ role }) => role === "system");
    const texts = [...system, ...(last && last.role !== "assistant" ? [last] : [])].map(textOf);
    return texts.some((text) => this.#patterns.some((pattern) => pattern.test(text)));
  }
}

/** Enough of a message to recognise it by: a pattern must not read megabytes. */
function textOf({ content }: Message): string {
  const text = content
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("")
    .trim();
  return text.length <= 4_000 ? text : text.slice(0, 4_000);
}
