import { estimateTokenCount } from "tokenx";
import type { ChatRequest, Message, Tool } from "../core/types.js";
import { textChunks } from "../lib/text-chunks.js";
import { TimeSlicer } from "../lib/time-slicing.js";

/** For the role and separators, as in every chat format. */
const tokensPerMessage = 3;

/** Upper bound of the estimate; a lone ☀ counts as two. */
export const maxTokensPerCharacter = 2;

/** Estimated tokens of the messages. */
export async function countTokens(messages: readonly Message[]): Promise<number> {
  let sum = 0;
  const slicer = new TimeSlicer();
  for (const message of messages) {
    sum += await countMessage(message);
    await slicer.yieldIfDue();
  }
  return sum;
}

/** Estimated tokens of what a request gives to the model: its messages and its functions. */
export async function countRequestTokens({
  messages,
  tools = [],
}: Pick<ChatRequest, "messages" | "tools">): Promise<number> {
  let sum = await countTokens(messages);
  for (const tool of tools) sum += await countTool(tool);
  return sum;
}

async function countTool({ name, description = "", parameters }: Tool): Promise<number> {
  return tokensPerMessage + (await countTextTokens(`${name}\n${description}\n${JSON.stringify(parameters)}`));
}

/** Whether the messages may have more tokens than the limit, by an upper bound that is cheaper than counting. */
export function mayExceed(messages: readonly Message[], limit: number): boolean {
  let upperBound = 0;
  for (const message of messages) {
    upperBound += tokensPerMessage;
    for (const text of messageTexts(message)) upperBound += maxTokensPerCharacter * text.length;
  }
  return upperBound > limit;
}

async function countMessage(message: Message): Promise<number> {
  let sum = tokensPerMessage;
  for (const text of messageTexts(message)) sum += await countTextTokens(text);
  return sum;
}

function messageTexts(message: Message): string[] {
  const texts: string[] = [];
  for (const part of message.content) if (part.type === "text") texts.push(part.text);
  if (message.role === "assistant") {
    for (const call of message.toolCalls ?? []) texts.push(call.name, call.arguments);
  }
  return texts;
}

/** Characters counted in one step: about a millisecond of work. */
const chunkSize = 8_192;

/** Estimated tokens of a short text, such as a delta. */
export function estimateTextTokens(text: string): number {
  return estimateTokenCount(text);
}

/** Estimated tokens of a text. */
export async function countTextTokens(text: string): Promise<number> {
  if (text === "") return 0;
  if (text.length <= chunkSize) return estimateTextTokens(text);
  let sum = 0;
  const slicer = new TimeSlicer();
  for (const chunk of textChunks(text, chunkSize)) {
    sum += estimateTextTokens(chunk);
    await slicer.yieldIfDue();
  }
  return sum;
}
