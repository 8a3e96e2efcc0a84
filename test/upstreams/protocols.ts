import type { Simulator } from "../../simulator/index.js";
import { chatsOnKimi, onKimi, sent } from "../conversations/dialogue.js";
import type { Gateway, Kind } from "../gateway.js";

type Call = Simulator["calls"][number];

/** What one turn said to Kimi; a new chat has no id yet where the protocol makes it on the way. */
type Asked = { chat: string | undefined; text: string };

/** How to look at Kimi's side of a gateway, in each of its protocols. */
export type Protocol = {
  asked(gateway: Gateway): Asked[];
  chats(simulator: Simulator): Promise<string[]>;
  deleteChat(simulator: Simulator, chat: string): Promise<void>;
  /** Name, type, size and checksum of what was uploaded. */
  uploads(gateway: Gateway): unknown[];
};

const web: Protocol = {
  asked: (gateway) => sent(gateway).map(({ chatId, text }) => ({ chat: chatId, text })),
  chats: chatsOnKimi,
  deleteChat: async (simulator, chat) => {
    await onKimi(simulator, "kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat });
  },
  uploads: ({ simulator }) =>
    simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).map(({ body }) => body),
};

const legacy: Protocol = {
  asked: ({ simulator }) =>
    simulator.calls.filter(({ path }) => path.endsWith("/completion/stream")).map(askedLegacy),
  chats: async (simulator) => {
    const { items } = JSON.parse(await onLegacyKimi(simulator, "POST", "/api/chat/list", '{"size":1000}'));
    return items.map(({ id }: { id: string }) => id);
  },
  deleteChat: async (simulator, chat) => {
    await onLegacyKimi(simulator, "DELETE", `/api/chat/${chat}`);
  },
  uploads: ({ simulator }) =>
    simulator.calls.filter(({ method }) => method === "PUT").map(({ body }) => body),
};

export const protocols: Record<Kind, Protocol> = { "kimi-web": web, "kimi-legacy": legacy };

export const kinds: readonly Kind[] = ["kimi-web", "kimi-legacy"];

function askedLegacy({ path, body }: Call): Asked {
  const { messages } = JSON.parse(JSON.stringify(body));
  return { chat: path.split("/")[3], text: String(messages[0].content) };
}

/** A call to the simulator as the person would make it on Kimi's site of then. */
async function onLegacyKimi(simulator: Simulator, method: string, path: string, body?: string) {
  const { accessToken } = simulator.issue();
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  return (await fetch(simulator.url + path, { method, headers, ...(body ? { body } : {}) })).text();
}
