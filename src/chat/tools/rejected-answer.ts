/**
 * Thrown into the upstream if an answer must be asked for again: the same messages with a line that says what was wrong, as a
 * sibling of that answer, so that the chat does not remember the mistake. `needsNewChat`: in another chat.
 */
export class RejectedAnswerError extends Error {
  readonly needsNewChat: boolean;

  constructor(needsNewChat: boolean) {
    super("the answer is asked for again");
    this.needsNewChat = needsNewChat;
  }
}
