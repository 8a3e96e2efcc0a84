import { anthropicMessages } from "./anthropic-messages/dialect.js";
import type { Dialect, ErrorFormat } from "./dialect.js";
import { mcp } from "./mcp/dialect.js";
import { ollama } from "./ollama/dialect.js";
import { openAiChat } from "./openai-chat/dialect.js";
import { openAiResponses } from "./openai-responses/dialect.js";

export const dialects: readonly Dialect[] = [openAiChat, openAiResponses, anthropicMessages, ollama, mcp];

/** The dialect that a path belongs to, without its query. */
export function dialectOf(path: string): Dialect | undefined {
  return dialects.find((dialect) => dialect.ownsPath(path));
}

/** The form of errors for a path, without its query; OpenAI's for paths that belong to no dialect. */
export function errorFormat(path: string): ErrorFormat {
  return dialectOf(path)?.errors ?? openAiChat.errors;
}
