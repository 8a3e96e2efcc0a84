import type OpenAI from "openai";
import type { Gateway } from "../gateway.js";

export type ChatMessage = OpenAI.ChatCompletionMessageParam;
type Body = Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>;

/** A text with few tokens for its length, so that the smaller window of the legacy models takes it. */
export const filler = (length: number) => "fillings  ".repeat(Math.ceil(length / 10)).slice(0, length);

/** Turns of 20,000 characters each, a fact in the first and in the last of them, and a question. */
export function longHistory(
  question: string,
  { turns = 30, first = {} as Partial<ChatMessage> } = {},
): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const fact =
      turn === 0
        ? "the first fact is CANARY-quartz"
        : turn === turns - 1
          ? "the last fact is CANARY-basalt"
          : "";
    messages.push({ role: "user", content: `${fact}\nturn ${turn} ${filler(10_000)}` });
    messages.push({ role: "assistant", content: `answer ${turn} ${filler(10_000)}` });
  }
  return [
    { ...messages[0], ...first } as ChatMessage,
    ...messages.slice(1),
    { role: "user", content: question },
  ];
}

export async function ask(gateway: Gateway, messages: ChatMessage[], body: Body = {}) {
  const answer = await gateway.client.chat.completions.create({ model: "kimi", messages, ...body });
  return { ...answer, text: answer.choices[0]?.message.content ?? "" };
}
