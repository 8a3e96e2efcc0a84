import type { Usage } from "../../core/types.js";

/**
 * Anthropic's usage object: `input_tokens` without those that the chat already had. `searches`: undefined where the client
 * did not ask for any.
 */
export function usageObject({ input, output, reasoning, cached, estimated }: Usage, searches?: number) {
  return {
    input_tokens: Math.max(0, input - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: output,
    output_tokens_details: { thinking_tokens: reasoning },
    ...(searches === undefined
      ? {}
      : { server_tool_use: { web_search_requests: searches, web_fetch_requests: 0 } }),
    ...(estimated ? { estimated: true } : {}),
  };
}
