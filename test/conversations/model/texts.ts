import type { Random } from "./random.js";
import { type Owner, type WordSource, wordsOf } from "./words.js";

/** Texts that many people send, so that conversations begin and go on with equal messages. */
const commonShort = ["hi", "hello", "你好", "ok", "thanks", "go on", "Is that so?"];
const commonLong = ["Explain more.", "Explain that as if I were five.", "Compare the two.", "解释一下。"];

export const greeting = "Hello! I am your assistant. What can I do for you?";

/** Questions with these in them are not answered to the end. */
export const unfinished = { stall: "(never ends)", cut: "(breaks off)" };

const topics = ["rivers", "the tax form", "sourdough", "this function", "the trip to Xi'an", "prime numbers"];

/** Questions about a number are common to a few conversations: those whose own numbers are at most this far from it. */
const rareDistance = 40;

export type QuestionStyle =
  | "common-short"
  | "common-long"
  | "rare-short"
  | "rare-long"
  | "own-short"
  | "own-long"
  | "look-alike";

/** A question of this style; those that are not common have a word of the conversation in them. */
export function createQuestion(style: QuestionStyle, words: WordSource, random: Random): string {
  const rareNumber = () =>
    Math.abs(Number(words.owner.slice(1)) + random.integer(-rareDistance, rareDistance));
  switch (style) {
    case "common-short":
      return random.pick(commonShort);
    case "common-long":
      return random.pick(commonLong);
    case "rare-short":
      return `Is ${rareNumber()} prime?`;
    case "rare-long":
      return `Explain the number ${rareNumber()}.`;
    case "own-short":
      return `Is ${words.next()} about ${random.pick(topics)}?`;
    case "own-long":
      return `Explain ${words.next()} and ${random.pick(topics)}.`;
    case "look-alike":
      return `### Task: Generate a limerick about ${words.next()}.`;
  }
}

/** Whether it is a question of the style `rare-long`. */
export function isRareLong(question: string): boolean {
  return question.startsWith("Explain the number");
}

const sentences = [
  "It helps to look at the beginning first, and at the reasons that people usually give for it.",
  "There are two schools, and they agree on less than either of them would like to admit.",
  "The numbers are small, but they add up over a year, which is what most people overlook.",
  "A common mistake is to start with the exception; start with the rule, and come back later.",
  "If you only remember one thing, remember the order in which these steps are taken.",
  "没有人能在一天之内学会这些，但是每天一点点就足够了，关键是不要中断。",
  "In practice it is enough to try it three times and to write down what happened.",
  "Further reading does not hurt, yet a short walk is at least as useful at this point.",
];

/**
 * The answer to a question. With the same variant it is a function of the question: of 160 characters and more for
 * those that ask to explain, compare or generate, else short and the same for many or for a few questions.
 */
export function answerTo(question: string, variant = 0): string {
  const subject = wordsOf(question).join(" and ");
  const again = variant === 0 ? "" : ` (version ${variant + 1})`;
  if (!/^(Explain|Compare|解释|### Task)/.test(question)) {
    if (subject !== "") return `Yes, ${subject} is about that.${again}`;
    const number = /^Is (\d+) prime/.exec(question)?.[1];
    if (number !== undefined) return `${number}? Divide it by the small primes.`;
    return /^(hi|hello|你好)$/.test(question) ? "Hello! How can I help you today?" : "Sure.";
  }
  const start = hashCode(question);
  const chosen = [0, 1, 2, 3].map((step) => sentences[(start + step * 3) % sentences.length]);
  const topic = /the number \d+/.exec(question)?.[0] ?? (subject === "" ? "this" : subject);
  return `About ${topic}${again}: ${chosen.join(" ")}`;
}

/** What a model elsewhere answered: never a long answer that Kimi gives word by word. */
export function foreignAnswer(question: string, words: WordSource, random: Random): string {
  if (answerTo(question).length < 160 && random.chance(0.7)) return answerTo(question);
  return `As another model I say ${words.next()}. ${random.pick(sentences)} ${random.pick(sentences)}`;
}

function hashCode(text: string): number {
  let hash = 7;
  for (let index = 0; index < text.length; index++) hash = (hash * 31 + text.charCodeAt(index)) >>> 0;
  return hash;
}

/** The system text of an assistant of its own; it contains that assistant's word. */
export function assistantText(number: number): string {
  return `You are the assistant ${assistantWord(number)}. Answer briefly and stay polite.`;
}

export function assistantWord(number: number): string {
  return `CANARY${assistantOwner(number)}x0`;
}

export function assistantOwner(number: number): Owner {
  return `a${number}`;
}

/** The system text that NextChat sends by default, with the clock of its moment. */
export const nextChatSystemText = (clock: string) =>
  `You are ChatGPT, a large language model trained by Moonshot.\nCurrent model: kimi\nCurrent time: ${clock}\nLatex inline: \\(x^2\\)`;

/** A time as clients write it into their system texts. */
export function formatClock(time: number, format: number): string {
  const date = new Date(time);
  const iso = date.toISOString();
  switch (format) {
    case 0:
      return `${date.toDateString()} ${iso.slice(11, 19)} GMT+0800 (China Standard Time)`;
    case 1:
      return american.format(date);
    case 2:
      return `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
    case 3:
      return String(Math.floor(time / 1_000));
    default:
      return iso;
  }
}

const american = new Intl.DateTimeFormat("en-US", {
  dateStyle: "short",
  timeStyle: "medium",
  timeZone: "Asia/Shanghai",
});

/** The side requests that clients make, with the conversation inside or before them. */
export const sideTexts = {
  openWebUi: (
    history: string,
  ) => `### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.
### Guidelines:
- The title should clearly represent the main theme or subject of the conversation.
- Use emojis that enhance understanding of the topic, but avoid quotation marks or special formatting.
- Write the title in the chat's primary language; default to English if multilingual.
- Prioritize accuracy over excessive creativity; keep it clear and simple.
- Your entire response must consist solely of the JSON object, without any introductory or concluding text.
- The output must be a single, raw JSON object, without any markdown code fences or other encapsulating text.
- Ensure no conversational text, affirmations, or explanations precede or follow the raw JSON output, as this will cause direct parsing failure.
### Output:
JSON format: { "title": "your concise title here" }
### Examples:
- { "title": "📉 Stock Market Trends" },
- { "title": "🍪 Perfect Chocolate Chip Recipe" },
- { "title": "Evolution of Music Streaming" },
- { "title": "Remote Work Productivity Tips" },
- { "title": "Artificial Intelligence in Healthcare" },
- { "title": "🎮 Video Game Development Insights" }
### Chat History:
<chat_history>
${history}
</chat_history>`,
  nextChat:
    "使用四到五个字直接返回这句话的简要主题，不要解释、不要标点、不要语气词、不要多余文本，不要加粗，如果没有主题，请直接返回“闲聊”",
};
