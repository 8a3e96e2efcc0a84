import type { ApiError } from "../api-error.js";
import type { CompletionRequest, ContentPart, Source, TokenUsage } from "./completion-stream.js";
import type { Attachment } from "./upload.js";

export type UserMessage = { role: "user"; text: string; attachments: Attachment[] };

/** How an answer stands: `stopped` by the person. */
export type AnswerState =
  | { name: "streaming" }
  | { name: "done" }
  | { name: "stopped" }
  | { name: "failed"; code: string; message: string; requestId: string | undefined };

export type AnswerMessage = {
  role: "assistant";
  text: string;
  reasoning: string;
  sources: Source[];
  searches: string[];
  state: AnswerState;
  model: string;
  firstWordMs: number | undefined;
  totalMs: number | undefined;
  usage: TokenUsage | undefined;
};

export type Message = UserMessage | AnswerMessage;

export type Switch = "default" | "on" | "off";
export type ChatSettings = { model: string; thinking: Switch; search: Switch };

export type Conversation = { id: string; title: string; messages: Message[] };

export function newConversation(): Conversation {
  return { id: crypto.randomUUID(), title: "", messages: [] };
}

export function newAnswer(model: string): AnswerMessage {
  return {
    role: "assistant",
    text: "",
    reasoning: "",
    sources: [],
    searches: [],
    state: { name: "streaming" },
    model,
    firstWordMs: undefined,
    totalMs: undefined,
    usage: undefined,
  };
}

export function failedState({ code, message, requestId }: ApiError): AnswerState {
  return { name: "failed", code, message, requestId };
}

/** The request that answers these messages. Answers without text, such as failed ones, are left out. */
export function toRequest(messages: readonly Message[], settings: ChatSettings): CompletionRequest {
  return {
    model: settings.model,
    messages: messages.flatMap((message): CompletionRequest["messages"] => {
      if (message.role === "user") return [{ role: "user", content: toContent(message) }];
      return message.text === "" ? [] : [{ role: "assistant", content: message.text }];
    }),
    stream: true,
    stream_options: { include_usage: true },
    citations: "annotations",
    ...(settings.thinking === "default"
      ? {}
      : { thinking: { type: settings.thinking === "on" ? "enabled" : "disabled" } }),
    ...(settings.search === "default" ? {} : { use_search: settings.search === "on" }),
  };
}

function toContent({ text, attachments }: UserMessage): string | ContentPart[] {
  if (attachments.length === 0) return text;
  return [...attachments.map(toPart), ...(text === "" ? [] : [{ type: "text" as const, text }])];
}

function toPart(attachment: Attachment): ContentPart {
  return attachment.kind === "picture"
    ? { type: "image_url", image_url: { url: attachment.url } }
    : { type: "file", file: { file_id: attachment.id } };
}
