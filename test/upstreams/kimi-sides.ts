import type { Simulator } from "../../simulator/index.js";
import { callKimi, listKimiChats, sentTurns } from "../conversations/dialogue.js";
import type { Gateway, KimiKind } from "../gateway.js";

type Call = Simulator["calls"][number];

/** The message of one turn, as Kimi received it. `chat` is undefined for a new chat if the protocol creates it in the turn. */
type SentMessage = { chat: string | undefined; text: string };

/** Access to Kimi's side of a gateway, for one protocol. */
export type KimiSide = {
  sentMessages(gateway: Gateway): SentMessage[];
  listChats(simulator: Simulator): Promise<string[]>;
  deleteChat(simulator: Simulator, chat: string): Promise<void>;
  /** Name, type, size and checksum of what was uploaded. */
  uploads(gateway: Gateway): unknown[];
};

const web: KimiSide = {
  sentMessages: (gateway) => sentTurns(gateway).map(({ chatId, text }) => ({ chat: chatId, text })),
  listChats: listKimiChats,
  deleteChat: async (simulator, chat) => {
    await callKimi(simulator, "kimi.chat.v1.ChatService/DeleteChat", { chat_id: chat });
  },
  uploads: ({ simulator }) =>
    simulator.calls.filter(({ path }) => path.endsWith("/file/upload")).map(({ body }) => body),
};

const legacy: KimiSide = {
  sentMessages: ({ simulator }) =>
    simulator.calls.filter(({ path }) => path.endsWith("/completion/stream")).map(toLegacySentMessage),
  listChats: async (simulator) => {
    const { items } = JSON.parse(await callLegacyKimi(simulator, "POST", "/api/chat/list", '{"size":1000}'));
    return items.map(({ id }: { id: string }) => id);
  },
  deleteChat: async (simulator, chat) => {
    await callLegacyKimi(simulator, "DELETE", `/api/chat/${chat}`);
  },
  uploads: ({ simulator }) =>
    simulator.calls.filter(({ method }) => method === "PUT").map(({ body }) => body),
};

/** Access to Kimi's side, by upstream kind. */
export const kimiSides: Record<KimiKind, KimiSide> = { "kimi-web": web, "kimi-legacy": legacy };

export const kinds: readonly KimiKind[] = ["kimi-web", "kimi-legacy"];

function toLegacySentMessage({ path, body }: Call): SentMessage {
  const { messages } = JSON.parse(JSON.stringify(body));
  return { chat: path.split("/")[3], text: String(messages[0].content) };
}

/** A call to the simulator's legacy API as the site's own client would make it. */
async function callLegacyKimi(simulator: Simulator, method: string, path: string, body?: string) {
  const { accessToken } = simulator.issue();
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  return (await fetch(simulator.url + path, { method, headers, ...(body ? { body } : {}) })).text();
}
