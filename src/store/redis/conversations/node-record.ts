import { type Static, Type } from "@sinclair/typebox";
import type { ConversationNode, ConversationStore } from "../../../core/store.js";
import { parseReply } from "../reply.js";
import { decodeNumber, encodeNumber } from "./conversation-script.js";

type NewNode = Parameters<ConversationStore["saveNode"]>[0];

const orNull = <Schema extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Number>>(
  schema: Schema,
) => Type.Union([schema, Type.Null()]);

/** What scripts do not read of a node: answer id, messages, system texts, system, tool state. */
const Details = Type.Tuple([
  Type.String(),
  Type.String(),
  Type.String(),
  Type.String(),
  orNull(Type.String()),
]);

/** Upstream and chat, as `encodeChatName` writes them. */
const ChatName = Type.Tuple([Type.String(), Type.String()]);

/**
 * A found node: its number and text, and unless it is a tombstone its chat's name and scope, its end, and the conversation
 * that is answering.
 */
export const FoundNode = Type.Union([
  Type.Tuple([Type.String(), Type.String()]),
  Type.Tuple([
    Type.String(),
    Type.String(),
    Type.String(),
    Type.String(),
    orNull(Type.String()),
    orNull(Type.String()),
  ]),
]);

export function encodeChatName({ upstream, chat }: { upstream: string; chat: string }): string {
  return JSON.stringify([upstream, chat]);
}

export function parseChatName(name: string): { upstream: string; chat: string } {
  const [upstream, chat] = parseReply(ChatName, JSON.parse(name));
  return { upstream, chat };
}

/**
 * The parts of a node's text that the script joins: the text is `<1 if another node continues here, else 0> <chat>
 * <place> <parent> <affinity> <conversation> <paths> <answers>`, a line break, and the details as JSON. Hashes have neither spaces
 * nor commas.
 */
export function encodeNode(node: NewNode) {
  const details: Static<typeof Details> = [
    node.answerId,
    node.messages.join(" "),
    node.systemTexts.join(" "),
    node.system,
    node.toolState ?? null,
  ];
  return {
    parent: node.parent === undefined ? "" : encodeNumber(node.parent),
    affinity: node.affinity ?? "",
    conversation: node.conversation,
    own_paths: node.paths.join(","),
    own_answers: node.answers.join(","),
    details: JSON.stringify(details),
  };
}

export function parseNode([number, text, ...chat]: Static<typeof FoundNode>): ConversationNode {
  const lineEnd = text.indexOf("\n");
  const fields = text.slice(0, lineEnd).split(" ");
  const [flag, , , parent = "", affinity = "", conversation = "", paths = "", answers = ""] = fields;
  const details = parseReply(Details, JSON.parse(text.slice(lineEnd + 1)));
  const [answerId, messages, systemTexts, system, toolState] = details;
  return {
    id: decodeNumber(number),
    ...(chat.length === 0 ? {} : { chat: parseNodeChat(chat) }),
    answerId,
    ...(parent === "" ? {} : { parent: decodeNumber(parent) }),
    conversation,
    paths: splitHashes(paths, ","),
    messages: splitHashes(messages, " "),
    answers: splitHashes(answers, ","),
    systemTexts: splitHashes(systemTexts, " "),
    system,
    ...(affinity === "" ? {} : { affinity }),
    ...(toolState === null ? {} : { toolState }),
    hasChildren: flag === "1",
  };
}

function parseNodeChat([name, scope, end, answering]: [string, string, string | null, string | null]) {
  return {
    ...parseChatName(name),
    scope,
    ...(end === null ? {} : { end: decodeNumber(end) }),
    ...(answering === null ? {} : { answering }),
  };
}

function splitHashes(joined: string, separator: string): string[] {
  return joined === "" ? [] : joined.split(separator);
}
