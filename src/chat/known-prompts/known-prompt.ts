/** A gap of any length: what the client fills in, such as the chat. */
export const any = Number.POSITIVE_INFINITY;

/**
 * A whole prompt: its fixed pieces in order, and between each two the greatest number of characters that may stand there.
 * That is `any` for a hole, and a bound for the client's own words where they are not repeated here or differ between its
 * versions. The first piece begins the prompt and the last one ends it, unless a gap stands there.
 */
export type PromptTemplate = readonly (string | number)[];

/**
 * Where a prompt stands in its request:
 * - `only`: the only message beside system messages, by the user
 * - `closing`: the user's last message, after others of the conversation
 * - `closing-system`: a system message, the last of all, after messages of the conversation
 * - `system`: the only system message, with user messages only
 * - `agent`: the first system message, whatever follows: the agent works in several turns, with tools
 */
type PromptPlace = "only" | "closing" | "closing-system" | "system" | "agent";

/** A prompt that a client sends on the side. `user`: what the last user message looks like then. */
export type KnownPrompt = {
  name: string;
  place: PromptPlace;
  template: PromptTemplate;
  user?: PromptTemplate;
};
