/**
 * Refusals of single request forms that some clients saw and others did not (kimi-web.md §4, §6). By default the
 * simulator accepts every form of a client that works against the live site; each name plays one refusal.
 */
export const strictnessNames = [
  /** `options.model` must be the id of a model of that scenario, not missing, a catalogue key or one of another scenario. */
  "model",
  /** `message.scenario` must be present and equal `scenario`. */
  "message-scenario",
  /** `chat_id: ""` is refused (kimi-web.md §2.4, S1). */
  "empty-chat-id",
  /** The agent scenarios refuse the first request of a chat without `chat_id: ""` (kimi-web.md §6 row 23). */
  "missing-chat-id",
  /** `message.parent_id: ""` is refused. */
  "empty-parent-id",
  /** Enums must be names, not numbers. */
  "numeric-enum",
  /** `tools` with a type outside of kimi-web.md §2.4 are refused. */
  "tool-type",
  /** `options.systemPrompt` is refused. */
  "system-prompt",
] as const;

export type Strictness = (typeof strictnessNames)[number];

export function isStrictness(name: string): name is Strictness {
  return strictnessNames.some((known) => known === name);
}
