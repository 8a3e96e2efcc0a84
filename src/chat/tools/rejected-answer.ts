import type { GatewayError } from "../../core/errors.js";

/**
 * Thrown into the upstream if an answer must be asked for again: the same messages with a line that says what was wrong, as a
 * sibling of that answer, so that the chat does not remember the mistake. `needsNewChat`: in another chat. `failure`: what the
 * client is told where it cannot be asked for again, since the request rests on a conversation that goes on only at its end.
 */
export class RejectedAnswerError extends Error {
  readonly needsNewChat: boolean;
  readonly failure: GatewayError | undefined;

  constructor(needsNewChat: boolean, failure?: GatewayError) {
    super("the answer is asked for again");
    this.needsNewChat = needsNewChat;
    this.failure = failure;
  }
}
