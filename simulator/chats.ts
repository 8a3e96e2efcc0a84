import { ApiError } from "./errors.js";
import { messageTime } from "./ids.js";
import type { JsonObject } from "./json.js";
import type { MessageStatus, Step } from "./steps.js";

/** A node of a chat's message tree (kimi-web.md §2.5). */
export type Message = {
  readonly id: string;
  readonly parentId: string;
  readonly role: "system" | "user" | "assistant";
  readonly createTime: string;
  readonly scenario: string;
  readonly children: string[];
  text: string;
  blocks: JsonObject[];
  refs: JsonObject | undefined;
  status: `MESSAGE_STATUS_${"GENERATING" | MessageStatus}`;
  /** Cancels the answer; defined while it is being generated. */
  stop: (() => void) | undefined;
  /** The steps of a truncated answer that its continuation executes; empty for other answers (kimi-web.md §1.4). */
  remainingSteps: readonly Step[];
};

/** A message of the user or an answer; not the empty one at the head of a chat. */
type SpokenMessage = Message & { readonly role: "user" | "assistant" };

/** A chat of one account. */
export type Chat = {
  readonly id: string;
  readonly owner: string;
  readonly createTime: string;
  readonly messages: Map<string, Message>;
  name: string;
  updateTime: string;
  lastRequest: JsonObject | undefined;
  latestMessage: Message | undefined;
  /** True after a moderation stop over the legacy protocol: no further turns (kimi-web.md §1.6). */
  isDisabled: boolean;
  /** Until then (milliseconds since the epoch) a cancelled answer occupies the chat. */
  busyUntil: number;
  /** True after REASON_TOKEN_LENGTH_TOO_LONG: no further turns (kimi-web.md §6 row 12). */
  isTooLong: boolean;
  isPinned: boolean;
  /** The attached files of all turns, as `chat.files` shows them (kimi-web.md §2.5). */
  files: JsonObject[];
  /** Length of all texts of this chat. */
  characters: number;
};

/**
 * The messages that one call adds to a chat: the user's and the answer, in a new chat also the empty one at its head.
 * `history` is the branch before them, root first.
 */
export type ChatTurn = {
  chat: Chat;
  isNew: boolean;
  system: Message | undefined;
  user: Message;
  assistant: Message;
  history: readonly SpokenMessage[];
};

/** A request to add a turn to a chat. */
export type NewTurn = {
  /** Undefined for a new chat. */
  chatId: string | undefined;
  /** The message to continue after; undefined for the default of the chat. */
  parentId: string | undefined;
  /** The user message to edit or to answer again (kimi-web.md §2.7). */
  messageId: string | undefined;
  text: string;
  blocks: JsonObject[];
  scenario: string;
};

const maxChats = 50_000;
const maxMessagesPerChat = 4_000;
const maxCharactersPerChat = 67_108_864;
const maxCharacters = 268_435_456;
/** A prompt of 513,619 characters failed, one of 440,000 did not (kimi-web.md §6 row 8). */
const defaultMaxPromptCharacters = 513_000;

/** Whether a prompt is refused for its length alone. */
export function isTooLongPrompt({ length }: string, maxCharacters = defaultMaxPromptCharacters): boolean {
  return length > maxCharacters;
}

const nilUuid = "00000000-0000-0000-0000-000000000000";

/** Generates the ids of one protocol. */
type IdSource = { next(kind: "chat" | "message"): string };

/** All chats of one protocol, by id and owner. The oldest are dropped when there are too many or they grow too large. */
export class Chats {
  readonly #ids: IdSource;
  readonly #hasSystemMessage: boolean;
  readonly #maxPromptCharacters: number | undefined;
  readonly #chats = new Map<string, Chat>();
  #totalCharacters = 0;

  /** With `hasSystemMessage`, a chat begins with an empty message of the role system (kimi-web.md §6 row 15). */
  constructor(ids: IdSource, hasSystemMessage: boolean, maxPromptCharacters?: number) {
    this.#ids = ids;
    this.#hasSystemMessage = hasSystemMessage;
    this.#maxPromptCharacters = maxPromptCharacters;
  }

  /** Creates an empty chat, named "Untitled Chat". */
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
      latestMessage: undefined,
      isDisabled: false,
      busyUntil: 0,
      isTooLong: false,
      isPinned: false,
      files: [],
      characters: 0,
    };
    this.#chats.set(chat.id, chat);
    this.#evictOldest(chat);
    return chat;
  }

  /** Throws `not_found` for an unknown chat and for one of another owner. */
  get(id: string, owner: string): Chat {
    const chat = this.#chats.get(id);
    if (!chat || chat.owner !== owner) throw new ApiError({ code: "not_found" }, "chat not found");
    return chat;
  }

  /** All chats of an owner, latest update first. */
  list(owner: string): Chat[] {
    const ownedChats = [...this.#chats.values()].filter((chat) => chat.owner === owner);
    return ownedChats.sort((a, b) => (a.updateTime < b.updateTime ? 1 : -1));
  }

  /** Throws `not_found` like `get`. */
  delete(id: string, owner: string): void {
    const chat = this.get(id, owner);
    this.#evict(chat);
  }

  /**
   * Throws if the chat takes no further turn now: REASON_CHAT_IN_PROGRESS while it answers or a cancelled answer still
   * occupies it (kimi-web.md §6 row 1), REASON_TOKEN_LENGTH_TOO_LONG once it was too long (kimi-web.md §6 row 12). Throws
   * `not_found` like `get`.
   */
  requireIdle(id: string, owner: string): void {
    const chat = this.get(id, owner);
    if (chat.isTooLong) throw tooLong();
    if (chat.latestMessage?.status === "MESSAGE_STATUS_GENERATING" || Date.now() < chat.busyUntil)
      throw new ApiError({ code: "resource_exhausted", reason: "REASON_CHAT_IN_PROGRESS" });
  }

  /** Throws REASON_TOKEN_LENGTH_TOO_LONG for a prompt that is too long, and locks its chat (kimi-web.md §6 row 8). */
  requireShortPrompt({ chatId, text }: NewTurn, owner: string): void {
    if (!isTooLongPrompt(text, this.#maxPromptCharacters)) return;
    if (chatId !== undefined) this.get(chatId, owner).isTooLong = true;
    throw tooLong();
  }

  /**
   * Adds a user message and an empty assistant message to the tree (kimi-web.md §2.4, §2.7). Throws `not_found` for an
   * unknown chat or parent, and REASON_TOKEN_LENGTH_TOO_LONG if the chat has too many messages or too much text.
   */
  beginTurn(turn: NewTurn, owner: string): ChatTurn {
    const existing = turn.chatId === undefined ? undefined : this.get(turn.chatId, owner);
    const parentId = existing ? this.#findParentId(existing, turn) : undefined;
    if (
      existing &&
      (existing.messages.size >= maxMessagesPerChat ||
        existing.characters + turn.text.length > maxCharactersPerChat)
    ) {
      throw tooLong();
    }
    const chat = existing ?? this.create(owner);
    const now = Date.now();
    const { scenario } = turn;
    const system =
      this.#hasSystemMessage && chat.messages.size === 0
        ? this.#addMessage(chat, "system", nilUuid, scenario, messageTime(now, 111))
        : undefined;
    const userParentId = parentId ?? rootIdOf(chat);
    const user = this.#addMessage(chat, "user", userParentId, scenario, messageTime(now, 113));
    const assistant = this.#addMessage(chat, "assistant", user.id, scenario, messageTime(now, 115));
    user.text = turn.text;
    user.blocks = turn.blocks;
    this.addCharacters(chat, turn.text.length);
    chat.latestMessage = assistant;
    chat.updateTime = assistant.createTime;
    return { chat, isNew: !existing, system, user, assistant, history: branchTo(chat, user.parentId) };
  }

  /** Counts text added to a chat; may drop older chats. */
  addCharacters(chat: Chat, characters: number): void {
    if (!this.#chats.has(chat.id)) return;
    chat.characters += characters;
    this.#totalCharacters += characters;
    this.#evictOldest(chat);
  }

  /** The parent of a new user message; by default the latest message (unproven: kimi-web.md §4.3). */
  #findParentId(chat: Chat, { parentId, messageId }: NewTurn): string {
    if (parentId === chat.id || parentId === nilUuid) return rootIdOf(chat);
    if (parentId) return getMessage(chat, parentId).id;
    // A client may choose the id of a new message, too (kimi-web.md §6 row 11).
    const edited = messageId ? chat.messages.get(messageId) : undefined;
    return edited?.parentId ?? chat.latestMessage?.id ?? rootIdOf(chat);
  }

  #addMessage(
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
      status: role === "assistant" ? "MESSAGE_STATUS_GENERATING" : "MESSAGE_STATUS_COMPLETED",
      stop: undefined,
      remainingSteps: [],
    };
    chat.messages.get(parentId)?.children.push(message.id);
    chat.messages.set(message.id, message);
    return message;
  }

  #evictOldest(excluded: Chat): void {
    for (const chat of this.#chats.values()) {
      if (this.#chats.size <= maxChats && this.#totalCharacters <= maxCharacters) return;
      if (chat !== excluded) this.#evict(chat);
    }
  }

  #evict(chat: Chat): void {
    if (this.#chats.delete(chat.id)) this.#totalCharacters -= chat.characters;
  }
}

function getMessage(chat: Chat, id: string): Message {
  const message = chat.messages.get(id);
  if (!message) throw new ApiError({ code: "not_found" }, "message not found in this chat");
  return message;
}

/** The parent of a first user message: the empty message at the head, or the chat if it has none (kimi-web.md §5.1). */
function rootIdOf(chat: Chat): string {
  const [first] = chat.messages.values();
  return first?.role === "system" ? first.id : chat.id;
}

function tooLong(): ApiError {
  return new ApiError({ code: "resource_exhausted", reason: "REASON_TOKEN_LENGTH_TOO_LONG" });
}

/** The messages from the first of the user's to this one, inclusive. */
function branchTo(chat: Chat, leafId: string): SpokenMessage[] {
  const messages: SpokenMessage[] = [];
  let message = chat.messages.get(leafId);
  while (message && isSpoken(message)) {
    messages.push(message);
    message = chat.messages.get(message.parentId);
  }
  return messages.reverse();
}

function isSpoken(message: Message): message is SpokenMessage {
  return message.role !== "system";
}
