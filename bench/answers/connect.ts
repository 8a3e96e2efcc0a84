import { deltaText } from "./answer-text.js";
import type { Protocol } from "./protocol.js";

/** Kimi's web chat: Connect envelopes, each with a header of five bytes (kimi-web.md §2.1, §2.5, §5.1). */
export const connect: Protocol = {
  contentType: "application/connect+json",

  opening(answerNumber, continued) {
    const chat = continued?.chat ?? kimiId(answerNumber, "09");
    const [question, answer] = [kimiId(answerNumber, "0b"), kimiId(answerNumber, "0a")];
    const createTime = "2026-11-23T12:00:00.250113Z";
    const scenario = "SCENARIO_CHAT";
    return Buffer.concat(
      [
        { heartbeat: {} },
        {
          op: "set",
          mask: "chat",
          eventOffset: 1,
          chat: { id: chat, name: "Untitled Chat", createTime },
        },
        {
          op: "set",
          mask: "message",
          eventOffset: 2,
          message: {
            id: question,
            parentId: continued?.parent ?? chat,
            role: "user",
            status: "MESSAGE_STATUS_COMPLETED",
            blocks: [{ messageId: "", text: { content: "…" } }],
            scenario,
            createTime,
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
            createTime,
          },
        },
      ].map((event) => envelope(event)),
    );
  },

  delta(index) {
    const block = { id: "1", parentId: "", text: { content: deltaText(index) } };
    return index === 0
      ? envelope({ op: "set", mask: "block.text", eventOffset: 4, block })
      : envelope({ op: "append", mask: "block.text.content", eventOffset: 4 + index, block });
  },

  closing(answerNumber) {
    const message = { id: kimiId(answerNumber, "0a"), status: "MESSAGE_STATUS_COMPLETED" };
    return Buffer.concat([
      envelope({ op: "set", mask: "message.status", eventOffset: 9_998, message }),
      envelope({ eventOffset: 9_999, done: {} }),
      envelope({}, 2),
    ]);
  },
};

function envelope(event: object, flags = 0): Buffer {
  const payload = Buffer.from(JSON.stringify(event));
  const header = Buffer.from([flags, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** An id in the form of Kimi's ids (kimi-web.md §0.3). `kind`: two hex digits, different for each id of one answer. */
function kimiId(answerNumber: number, kind: string): string {
  return `${answerNumber.toString(16).padStart(8, "0")}-0002-8001-8000-${kind}d0c0ffee01`;
}
