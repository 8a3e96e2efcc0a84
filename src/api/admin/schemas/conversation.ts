import { Type } from "@sinclair/typebox";
import { answerObject, deletedObject, NullableText, oneOf, Time } from "./field.js";

const ConversationAnswer = answerObject(
  "Conversation",
  {
    id: Type.String({ description: "The chat's id at Kimi" }),
    object: oneOf(["conversation"]),
    upstream: Type.String(),
    turns: Type.Number({ description: "Answers in it that Moonbridge knows" }),
    due_at: Time,
    failed_deletions: Type.Number(),
  },
  "A chat that Moonbridge made, and when it will be deleted at Kimi",
);

export const ConversationListQuery = Type.Object({
  limit: Type.Optional(Type.String({ pattern: "^\\d{1,9}$", description: "a number from 1 to 500" })),
  before: Type.Optional(Type.String({ pattern: "^\\d{1,15}$", description: "`next` of the page before" })),
  upstream: Type.Optional(Type.String({ maxLength: 64 })),
});

export const ConversationListAnswer = answerObject("Conversations", {
  object: oneOf(["list"]),
  data: Type.Array(ConversationAnswer, { description: "Those made last first" }),
  total: Type.Number(),
  next: NullableText,
});

export const ConversationParams = Type.Object({ upstream: Type.String(), id: Type.String() });
export const DeletedConversationAnswer = deletedObject("conversation");
