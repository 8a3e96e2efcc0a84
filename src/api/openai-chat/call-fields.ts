import type { ChatEvent, FinishReason, ToolCall } from "../../core/types.js";
import { splitText } from "../stream/stream-json.js";

type ToolCallEvent = Extract<ChatEvent, { type: "tool-call" }>;

/** How a client reads calls: as `tool_calls`, or, if it declares `functions`, as the one `function_call` before them. */
export type CallForm = "tool_calls" | "function_call";

/** `body` is a request in OpenAI's form. */
export function callFormOf({ functions, tools }: { functions?: unknown; tools?: unknown }): CallForm {
  const isOld = Array.isArray(functions) && functions.length > 0;
  return isOld && !(Array.isArray(tools) && tools.length > 0) ? "function_call" : "tool_calls";
}

const finishReasons: Record<FinishReason, string> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
};

export function finishReason(reason: FinishReason, form: CallForm): string {
  return reason === "tool-calls" ? form : finishReasons[reason];
}

/** The deltas of a call: one with id and name, then those with the arguments (clients.md §7 row 36). */
export function callDeltas(
  { index, id, name, arguments: text }: ToolCallEvent,
  form: CallForm,
): Record<string, unknown>[] {
  const pieces = text === "" ? [] : splitText(text).map((piece) => ({ arguments: piece }));
  const head = name === undefined ? [] : [{ name, arguments: "" }];
  // The old form has one call.
  if (form === "function_call")
    return index > 0 ? [] : [...head, ...pieces].map((call) => ({ function_call: call }));
  const first = head.map((callee) => ({ index, id, type: "function", function: callee }));
  const rest = pieces.map((callee) => ({ index, function: callee }));
  return [...first, ...rest].map((call) => ({ tool_calls: [call] }));
}

/** The fields of a message with these calls. */
export function callFields(calls: readonly ToolCall[], form: CallForm): Record<string, unknown> {
  const [first] = calls;
  if (!first) return {};
  if (form === "function_call") return { function_call: { name: first.name, arguments: first.arguments } };
  return {
    tool_calls: calls.map(({ id, name, arguments: text }) => ({
      id,
      type: "function",
      function: { name, arguments: text },
    })),
  };
}
