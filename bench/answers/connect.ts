import type { Protocol } from "./answer.js";
import { wordAt } from "./words.js";

/** Kimi's web chat: frames with five bytes in front (kimi-web.md §2.1, §2.5, §5.1). */
export const connect: Protocol = {
  contentType: "application/connect+json",

  opening(number) {
    const chat = id(number, "09");
    const [question, answer] = [id(number, "0b"), id(number, "0a")];
    const at = "2026-11-23T12:00:00.250113Z";
    const scenario = "SCENARIO_CHAT";
    return Buffer.concat(
      [
        { heartbeat: {} },
        {
          op: "set",
          mask: "chat",
          eventOffset: 1,
          chat: { id: chat, name: "Untitled Chat", createTime: at },
        },
        {
          op: "set",
          mask: "message",
          eventOffset: 2,
          message: {
            id: question,
            parentId: chat,
            role: "user",
            status: "MESSAGE_STATUS_COMPLETED",
            blocks: [{ messageId: "", text: { content: "…" } }],
            scenario,
            createTime: at,
          },
        },
        {
          op: "set",
          mask: "message",
          eventOffset: 3,
          message: {
            id: answer,
            parentId: question,
            role: "assistant",
            status: "MESSAGE_STATUS_GENERATING",
            scenario,
            createTime: at,
          },
        },
      ].map((event) => frame(event)),
    );
  },

  delta(index) {
    const block = { id: "1", parentId: "", text: { content: wordAt(index) } };
    return index === 0
      ? frame({ op: "set", mask: "block.text", eventOffset: 4, block })
      : frame({ op: "append", mask: "block.text.content", eventOffset: 4 + index, block });
  },

  closing(number) {
    const message = { id: id(number, "0a"), status: "MESSAGE_STATUS_COMPLETED" };
    return Buffer.concat([
      frame({ op: "set", mask: "message.status", eventOffset: 9_998, message }),
      frame({ eventOffset: 9_999, done: {} }),
      frame({}, 2),
    ]);
  },
};

function frame(event: object, flags = 0): Buffer {
  const payload = Buffer.from(JSON.stringify(event));
  const header = Buffer.from([flags, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** In the form of Kimi's ids (kimi-web.md §0.3). */
function id(number: number, kind: string): string {
  return `${number.toString(16).padStart(8, "0")}-0002-8001-8000-${kind}d0c0ffee01`;
}
