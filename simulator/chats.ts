import { Refusal } from "./errors.js";
import { messageTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { MessageStatus, Step } from "./steps.js";

/** A node of the tree of a chat (kimi-web.md §2.5). */
export type Message = {
  readonly id: string;
  readonly parentId: string;
  readonly role: "user" | "assistant";
  readonly createTime: string;
  readonly scenario: string;
  readonly children: string[];
  text: string;
  blocks: JsonObject[];
  refs: JsonObject | undefined;
  status: `MESSAGE_STATUS_${"GENERATING" | MessageStatus}`;
  /** Stops the answer while it is being given. */
  stop: (() => void) | undefined;
  /** What an answer that was cut to length still has to say (kimi-web.md §1.4). */
  rest: readonly Step[];
};

export type Chat = {
  readonly id: string;
  readonly owner: string;
  readonly createTime: string;
  readonly messages: Map<string, Message>;
  name: string;
  updateTime: string;
  lastRequest: JsonObject | undefined;
  last: Message | undefined;
  /** Nobody may go on here any more (kimi-web.md §1.6). */
  disabled: boolean;
  size: number;
};

/** What one `Chat` call adds to a chat. */
export type Exchange = {
  chat: Chat;
  isNew: boolean;
  user: Message;
  assistant: Message;
  history: readonly Message[];
};

export type NewTurn = {
  chatId: string | undefined;
  parentId: string | undefined;
  /** The user message that is edited or answered anew (kimi-web.md §2.7). */
  messageId: string | undefined;
  text: string;
  blocks: JsonObject[];
  scenario: string;
};

const mostChats = 50_000;
const mostMessages = 4_000;
/** Characters remembered in one chat, and in all of them. */
const chatSize = 67_108_864;
const totalSize = 268_435_456;

const nilId = "00000000-0000-0000-0000-000000000000";

/** Where the ids of a protocol's chats and messages come from. */
type Ids = { next(kind: "chat" | "message"): string };

/** The memory of the fake: every chat a tree of messages, found by its id and its owner. */
export class Chats {
  readonly #ids: Ids;
  readonly #chats = new Map<string, Chat>();
  #size = 0;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  create(owner: string): Chat {
    const createTime = messageTime(Date.now());
    const chat: Chat = {
      id: this.#ids.next("chat"),
      owner,
      createTime,
      updateTime: createTime,
      name: "Untitled Chat",
      messages: new Map(),
      lastRequest: undefined,
      last: undefined,
      disabled: false,
      size: 0,
    };
    this.#chats.set(chat.id, chat);
    this.#forgetOldest(chat);
    return chat;
  }

  /** Throws `not_found` for a chat that is gone or another's. */
  get(id: string, owner: string): Chat {
    const chat = this.#chats.get(id);
    if (!chat || chat.owner !== owner) throw new Refusal({ code: "not_found" }, "chat not found");
    return chat;
  }

  /** An owner's chats, the latest first. */
  of(owner: string): Chat[] {
    const own = [...this.#chats.values()].filter((chat) => chat.owner === owner);
    return own.sort((one, other) => (one.updateTime < other.updateTime ? 1 : -1));
  }

  delete(id: string, owner: string): void {
    const chat = this.get(id, owner);
    this.#forget(chat);
  }

  /** Hangs a new question and its still empty answer into the tree (kimi-web.md §2.4, §2.7). */
  begin(turn: NewTurn, owner: string): Exchange {
    const found = turn.chatId === undefined ? undefined : this.get(turn.chatId, owner);
    const parentId = found ? this.#parent(found, turn) : undefined;
    if (found && (found.messages.size >= mostMessages || found.size + turn.text.length > chatSize)) {
      throw new Refusal({ code: "resource_exhausted", reason: "REASON_TOKEN_LENGTH_TOO_LONG" });
    }
    const chat = found ?? this.create(owner);
    const now = Date.now();
    const user = this.#message(chat, "user", parentId ?? chat.id, turn.scenario, messageTime(now, 113));
    const assistant = this.#message(chat, "assistant", user.id, turn.scenario, messageTime(now, 115));
    user.text = turn.text;
    user.blocks = turn.blocks;
    this.grow(chat, turn.text.length);
    chat.last = assistant;
    chat.updateTime = assistant.createTime;
    return { chat, isNew: !found, user, assistant, history: branch(chat, user.parentId) };
  }

  /** Counts what a chat has come to remember. */
  grow(chat: Chat, characters: number): void {
    if (!this.#chats.has(chat.id)) return;
    chat.size += characters;
    this.#size += characters;
    this.#forgetOldest(chat);
  }

  /** Where the turn goes on; with no parent, after the latest message (unproven: kimi-web.md §4, 3). */
  #parent(chat: Chat, { parentId, messageId }: NewTurn): string {
    const edited = messageId ? known(chat, messageId) : undefined;
    if (parentId === chat.id || parentId === nilId) return chat.id;
    if (parentId) return known(chat, parentId).id;
    return edited?.parentId ?? chat.last?.id ?? chat.id;
  }

  #message(
    chat: Chat,
    role: Message["role"],
    parentId: string,
    scenario: string,
    createTime: string,
  ): Message {
    const message: Message = {
      id: this.#ids.next("message"),
      parentId,
      role,
      createTime,
      scenario,
      children: [],
      text: "",
      blocks: [],
      refs: undefined,
      status: role === "user" ? "MESSAGE_STATUS_COMPLETED" : "MESSAGE_STATUS_GENERATING",
      stop: undefined,
      rest: [],
    };
    chat.messages.get(parentId)?.children.push(message.id);
    chat.messages.set(message.id, message);
    return message;
  }

  #forgetOldest(except: Chat): void {
    for (const chat of this.#chats.values()) {
      if (this.#chats.size <= mostChats && this.#size <= totalSize) return;
      if (chat !== except) this.#forget(chat);
    }
  }

  #forget(chat: Chat): void {
    if (this.#chats.delete(chat.id)) this.#size -= chat.size;
  }
}

function known(chat: Chat, id: string): Message {
  const message = chat.messages.get(id);
  if (!message) throw new Refusal({ code: "not_found" }, "message not found in this chat");
  return message;
}

/** The messages from the root of a chat down to one of them. */
function branch(chat: Chat, leafId: string): Message[] {
  const path: Message[] = [];
  let at = chat.messages.get(leafId);
  while (at) {
    path.push(at);
    at = chat.messages.get(at.parentId);
  }
  return path.reverse();
}
