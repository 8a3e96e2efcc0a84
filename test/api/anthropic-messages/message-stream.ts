import { isObject, type JsonObject } from "../../../src/lib/json.js";

/** A stream put together. `stopReason`: undefined if it has no regular end. */
export type StreamedMessage = {
  names: string[];
  message: JsonObject;
  blocks: Block[];
  stopReason: string | undefined;
  end: JsonObject | undefined;
  error: JsonObject | undefined;
};

type Block = JsonObject & { type: string; text: string; json: string; deltas: string[] };

/** Reads a finished stream. Throws unless it is in the strict form: named events in their order, indexes without gaps. */
export function readMessageStream(body: string): StreamedMessage {
  const events = parseNamedEvents(body).filter(({ name }) => name !== "ping");
  const blocks: Block[] = [];
  let message: JsonObject | undefined;
  let open: number | undefined;
  let end: JsonObject | undefined;
  let error: JsonObject | undefined;
  let isStopped = false;
  for (const { name, data } of events) {
    if (isStopped || error) throw new Error(`an event ${name} behind the end`);
    if (!message && name !== "message_start" && name !== "error")
      throw new Error(`${name} before message_start`);
    switch (name) {
      case "message_start":
        if (message) throw new Error("message_start twice");
        message = asRecord(data.message);
        break;
      case "content_block_start":
        if (open !== undefined || data.index !== blocks.length)
          throw new Error(`block ${data.index} out of order`);
        open = blocks.length;
        blocks.push({ type: "", text: "", json: "", deltas: [], ...asRecord(data.content_block) });
        break;
      case "content_block_delta":
        if (open === undefined || data.index !== open) throw new Error(`a delta of block ${data.index}`);
        applyDelta(blocks[open], asRecord(data.delta));
        break;
      case "content_block_stop":
        if (open === undefined || data.index !== open) throw new Error(`a stop of block ${data.index}`);
        open = undefined;
        break;
      case "message_delta":
        if (open !== undefined || end) throw new Error("message_delta inside of a block, or twice");
        end = data;
        break;
      case "message_stop":
        if (!end) throw new Error("message_stop without message_delta");
        isStopped = true;
        break;
      case "error":
        error = data;
        break;
      default:
        throw new Error(`an event ${name}`);
    }
  }
  if (!isStopped && !error) throw new Error("the stream has no end");
  const reason = asRecord(end?.delta).stop_reason;
  return {
    names: events.map(({ name }) => name),
    message: message ?? {},
    blocks,
    stopReason: typeof reason === "string" ? reason : undefined,
    end,
    error,
  };
}

export function textOfBlocks(blocks: readonly { type?: unknown; text?: unknown }[]): string {
  return blocks.map(({ type, text }) => (type === "text" && typeof text === "string" ? text : "")).join("");
}

type NamedEvent = { name: string; data: JsonObject };

function parseNamedEvents(body: string): NamedEvent[] {
  if (body.includes("\r") || !body.endsWith("\n\n")) throw new Error("not a strict event stream");
  return body
    .slice(0, -2)
    .split("\n\n")
    .map((event): NamedEvent => {
      const [, name = "", json = ""] = /^event: (\w+)\ndata: (.+)$/.exec(event) ?? [];
      if (json === "") throw new Error(`not a strict event: ${event.slice(0, 80)}`);
      if (Buffer.byteLength(event) > 60_000) throw new Error("an event over 60,000 bytes");
      const data: JsonObject = JSON.parse(json);
      if (data.type !== name) throw new Error(`${name} is called ${data.type} in its data`);
      return { name, data };
    });
}

function applyDelta(block: Block | undefined, delta: JsonObject): void {
  if (!block) return;
  block.deltas.push(String(delta.type));
  if (typeof delta.text === "string") block.text += delta.text;
  if (typeof delta.partial_json === "string") block.json += delta.partial_json;
}

function asRecord(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
