import { encodeEnvelope, endOfStreamFlag } from "../simulator/envelope.js";
import { IdGenerator, legacyId } from "../simulator/ids.js";
import { deltaText } from "./answer.js";

/** The chat and the message that an answer continues, if it does. */
export type Continued = { chat: string; parent: string } | undefined;

/** How an upstream encodes a streamed answer. Deltas are the same in all answers, so they are encoded in advance. */
type Protocol = {
  contentType: string;
  /** The bytes before and after the deltas. */
  frame(continued: Continued): { opening: Buffer; closing: Buffer };
  delta(index: number): Buffer;
};

const ids = new IdGenerator();

/** Kimi's web chat: Connect envelopes (kimi-web.md §2.1, §2.5, §5.1). */
const connect: Protocol = {
  contentType: "application/connect+json",
  frame: (continued) => {
    const [chat, question, answer] = [
      continued?.chat ?? ids.next("chat"),
      ids.next("message"),
      ids.next("message"),
    ];
    const set = (mask: string, offset: number, value: string) =>
      encodeEnvelope(`{"op":"set","mask":"${mask}","eventOffset":${offset},${value}}`);
    const message = (id: string, parent: string, role: string, status: string) =>
      `"message":{"id":"${id}","parentId":"${parent}","role":"${role}","status":"MESSAGE_STATUS_${status}","scenario":"SCENARIO_CHAT","createTime":"2026-11-23T12:00:00.250113Z"}`;
    const opening = [
      encodeEnvelope(`{"heartbeat":{}}`),
      set("chat", 1, `"chat":{"id":"${chat}","name":"Untitled Chat"}`),
      set("message", 2, message(question, continued?.parent ?? chat, "user", "COMPLETED")),
      set("message", 3, message(answer, question, "assistant", "GENERATING")),
    ];
    const closing = [
      set("message.status", 9_998, `"message":{"id":"${answer}","status":"MESSAGE_STATUS_COMPLETED"}`),
      encodeEnvelope(`{"eventOffset":9999,"done":{}}`),
      encodeEnvelope("{}", endOfStreamFlag),
    ];
    return { opening: Buffer.concat(opening), closing: Buffer.concat(closing) };
  },
  delta: (index) => {
    const [op, mask] = index === 0 ? ["set", "block.text"] : ["append", "block.text.content"];
    const block = `{"id":"1","parentId":"","text":{"content":${JSON.stringify(deltaText(index))}}}`;
    return encodeEnvelope(`{"op":"${op}","mask":"${mask}","eventOffset":${4 + index},"block":${block}}`);
  },
};

/** Kimi's earlier web chat: server-sent events (kimi-web.md §1.5, §5.9). */
const legacy: Protocol = {
  contentType: "text/event-stream; charset=utf-8",
  frame: () => {
    const [group, id] = [legacyId(), legacyId()];
    const request = { event: "req", content: "…", group_id: group, id, refs: [] };
    const opening = sse(request) + sse({ event: "resp", group_id: group, id: legacyId() });
    return {
      opening: Buffer.from(opening),
      closing: Buffer.from(sse({ event: "done" }) + sse({ event: "all_done" })),
    };
  },
  delta: (index) =>
    Buffer.from(sse({ event: "cmpl", idx_s: 0, idx_z: 0, text: deltaText(index), view: "cmpl" })),
};

/** What is in every object of a chat completion. */
export const completionFields = { id: "chatcmpl-bench", created: 1_790_000_001, model: "kimi-k2.6" };

/** Streamed chat completions (moonshot-platform.md A.8, D.3). */
const openai: Protocol = {
  contentType: "text/event-stream; charset=utf-8",
  frame: () => ({
    opening: Buffer.from(chunk({ delta: { role: "assistant", content: "" }, finish_reason: null })),
    closing: Buffer.from(`${chunk({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`),
  }),
  delta: (index) => Buffer.from(chunk({ delta: { content: deltaText(index) }, finish_reason: null })),
};

function chunk(choice: object): string {
  return sse({ object: "chat.completion.chunk", ...completionFields, choices: [{ index: 0, ...choice }] });
}

function sse(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export const protocols = { connect, legacy, openai } as const;
