import type { Message } from "../core/types.js";

/**
 * Beginnings of the prompts that chat UIs send besides the user's conversation: for titles, tags, follow-up questions,
 * search queries and summaries for their own memory. Tested on each system message and on the last message.
 */
const builtInPatterns: readonly RegExp[] = [
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

/** Recognises side requests of chat UIs, by built-in patterns and those of the configuration. */
export class SideRequestMatcher {
  readonly #patterns: readonly RegExp[];

  constructor(extraPatterns: readonly string[] = []) {
    this.#patterns = [...builtInPatterns, ...extraPatterns.map((pattern) => new RegExp(pattern, "i"))];
  }

  isSideRequest(messages: readonly Message[]): boolean {
    const last = messages.at(-1);
    const system = messages.filter(({ role }) => role === "system");
    const texts = [...system, ...(last && last.role !== "assistant" ? [last] : [])].map(startOf);
    return texts.some((text) => this.#patterns.some((pattern) => pattern.test(text)));
  }
}

/** The first 4,000 characters of a message, since testing patterns on megabytes would be slow. */
function startOf({ content }: Message): string {
  const text = content
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("")
    .trim();
  return text.length <= 4_000 ? text : text.slice(0, 4_000);
}
