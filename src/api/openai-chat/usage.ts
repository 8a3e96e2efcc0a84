import type { Usage } from "../../core/types.js";

/** OpenAI's usage object and Moonshot's top-level `cached_tokens` (clients.md §7 row 34). */
export function usageObject({ input, output, reasoning, cached, estimated }: Usage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
    cached_tokens: cached,
    ...(estimated ? { estimated: true } : {}),
  };
}
