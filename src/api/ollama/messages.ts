import type { Message, Part, ToolCall } from "../../core/types.js";
import { asObject, asText } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readMediaSource, toStandardAddress } from "../media-address.js";
import type { ChatBodyMessage } from "./schema.js";

/** Reads the messages of a chat. Throws `invalid_request` with the field. */
export function parseMessages(messages: readonly ChatBodyMessage[]): Message[] {
  const ids = new CallIds();
  return messages.map((message, index) => parseMessage(message, `messages[${index}]`, ids));
}

/** The pictures of a message or a prompt; `path` is that of `images`. */
export function readImages(images: readonly string[], path: string): Part[] {
  return images.map((image, index): Part => {
    const place = `${path}[${index}]`;
    return { type: "image", ...readMediaSource(toStandardAddress(image, place), place), path: place };
  });
}

function parseMessage(message: ChatBodyMessage, path: string, ids: CallIds): Message {
  const text = message.content ?? "";
  const content: Part[] = [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...readImages(message.images ?? [], `${path}.images`),
  ];
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content };
    case "assistant": {
      const toolCalls = (message.tool_calls ?? []).map((call, index) =>
        ids.readCall(call, `${path}.tool_calls[${index}]`),
      );
      return {
        role: "assistant",
        content,
        ...(message.thinking ? { reasoning: message.thinking } : {}),
        ...(toolCalls.length > 0 ? { toolCalls } : {}),
      };
    }
    case "tool": {
      const name = asText(message.tool_name);
      const toolCallId = ids.answeredBy({ id: asText(message.tool_call_id), name });
      return { role: "tool", content, toolCallId, ...(name === undefined ? {} : { name }) };
    }
    default:
      throw invalidParameter(`${path}.role`, "expected system, user, assistant or tool");
  }
}

/**
 * Gives the calls of a request ids, which Ollama's clients do not send, and finds the call that a result is for: the first
 * one of the tool's name that has no result yet, else the first one without a result.
 */
class CallIds {
  #count = 0;
  #open: ToolCall[] = [];

  readCall(call: unknown, path: string): ToolCall {
    const callee = asObject(asObject(call)?.function);
    const name = asText(callee?.name);
    if (!callee || name === undefined) throw invalidParameter(path, "expected {function: {name, arguments}}");
    const args = callee.arguments ?? {};
    const id = asText(asObject(call)?.id) ?? this.#createId();
    const read = { id, name, arguments: typeof args === "string" ? args : JSON.stringify(args) };
    this.#open.push(read);
    return read;
  }

  /** The id of the call that a result is for; `id`, if the client sent one, else by the `name` of the tool. */
  answeredBy({ id, name }: { id: string | undefined; name: string | undefined }): string {
    const call = this.#open.find((each) => (id === undefined ? each.name === name : each.id === id));
    const answered = id === undefined ? (call ?? this.#open[0]) : call;
    this.#open = this.#open.filter((each) => each !== answered);
    return id ?? answered?.id ?? this.#createId();
  }

  #createId(): string {
    return `call_${this.#count++}`;
  }
}
