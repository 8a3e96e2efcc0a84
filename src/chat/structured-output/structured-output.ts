import { limits } from "../../core/limits.js";
import type { ChatEvent, ChatRequest, EventSink, ResponseFormat } from "../../core/types.js";
import { RejectedAnswerError } from "../tools/rejected-answer.js";
import type { Transform } from "../transforms/transform.js";
import { AnswerFormat } from "./answer-format.js";
import { correctionLine, tellFormat } from "./format-prompt.js";
import { FormattedAnswer } from "./formatted-answer.js";
import { wrongFormatError } from "./wrong-format-error.js";

/**
 * Structured output for an upstream that has none: the model is told of the format at the end of each message, and what it
 * answers becomes bare JSON (see `FormattedAnswer`). An answer of another format is rejected by a RejectedAnswerError, and the
 * turn must be sent again, to be corrected; after `limits.formatCorrections` of them it fails with `upstream_protocol`.
 */
export class StructuredOutput {
  readonly #request: ChatRequest;
  readonly #format: AnswerFormat;
  #rejections = 0;
  /** What is said of the answer that was rejected last. */
  #correction: string | undefined;
  #isContinued = false;

  /** Throws `invalid_request` for a schema that cannot be kept. */
  constructor(request: ChatRequest, format: ResponseFormat) {
    this.#request = request;
    this.#format = new AnswerFormat(format, request.requestedFeatures);
  }

  /** Reads the answers; nearer to the client than what reads or bounds the model's text. */
  readonly reader: Transform = { events: (sink) => this.#read(sink) };

  /** Tells the model of the format; nearest to the upstream, since it is the last thing of the last message. */
  readonly teller: Transform = {
    request: (request) => {
      this.#isContinued = request.continueFrom !== undefined;
      const { tools, toolChoice } = this.#request;
      const messages = tellFormat(request.messages, {
        toldSchema: this.#format.toldSchema,
        mayCall: tools !== undefined && toolChoice !== "none",
        correction: this.#correction,
      });
      return { ...request, messages };
    },
  };

  #read(sink: EventSink): EventSink {
    const answer = new FormattedAnswer({
      format: this.#format,
      stream: this.#request.stream,
      // The client's next request has what was said here, so that it can go on from the turn before.
      isCorrection:
        this.#correction !== undefined && this.#isContinued && this.#request.conversation === undefined,
    });
    return (received) => {
      const events = answer.read(received);
      if (answer.problem !== undefined) return this.#reject(answer.text, answer.problem, { events, sink });
      return events.length > 0 ? sink(events) : undefined;
    };
  }

  /** Throws RejectedAnswerError once the events are emitted, or `upstream_protocol` after the last correction. */
  async #reject(
    answer: string,
    problem: string,
    { events, sink }: { events: ChatEvent[]; sink: EventSink },
  ): Promise<never> {
    if (events.length > 0) await sink(events);
    const failure = wrongFormatError(this.#format.parameter, problem);
    if (this.#rejections >= limits.formatCorrections) throw failure;
    this.#rejections++;
    this.#correction = correctionLine({ answer, problem });
    throw new RejectedAnswerError(false, failure);
  }
}
