import { answerText, deltaText } from "./answer-text.js";
import type { Protocol } from "./protocol.js";

const model = "kimi-k2.6";
const created = 1_790_000_001;

/** Streamed chat completions of Moonshot's platform and other OpenAI-compatible services (moonshot-platform.md A.8, D.3). */
export const openai: Protocol = {
  contentType: "text/event-stream; charset=utf-8",

  opening() {
    return chunk({ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null });
  },

  delta(index) {
    return chunk({ index: 0, delta: { content: deltaText(index) }, finish_reason: null });
  },

  closing() {
    const usage = { prompt_tokens: 19, completion_tokens: 13, total_tokens: 32 };
    return Buffer.concat([
      chunk({ index: 0, delta: {}, finish_reason: "stop", usage }),
      Buffer.from("data: [DONE]\n\n"),
    ]);
  },
};

/** The body of a response that is not streamed, with the text of `deltas` deltas (moonshot-platform.md D.2). */
export function openaiCompletion(deltas: number): string {
  const message = { role: "assistant", content: answerText(deltas) };
  return JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: { prompt_tokens: 19, completion_tokens: 13, total_tokens: 32 },
  });
}

function chunk(choice: object): Buffer {
  const body = { id: "chatcmpl-bench", object: "chat.completion.chunk", created, model, choices: [choice] };
  return Buffer.from(`data: ${JSON.stringify(body)}\n\n`);
}
