import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent, ChatRequest, EventSink, Source, Tool, UpstreamRequest } from "../../core/types.js";
import type { Transform, UpstreamControl } from "../transforms/transform.js";
import { CallAnswer, type Rejection } from "./call-answer.js";
import { NativeMarkupFilter } from "./native-markup-filter.js";
import { Quotations } from "./quotations.js";
import { RejectedAnswerError } from "./rejected-answer.js";
import type { CorrectionReason, ToolObserver } from "./tool-observer.js";
import { correctionLine, type ToldTurn, tellTools } from "./tool-prompt.js";
import { parseToolState, type ToolState } from "./tool-state.js";

export type ToolTransformOptions = {
  /** Characters beyond which older results are clipped. */
  maxOldResultCharacters: number;
  observer: ToolObserver;
};

type SentTurn = ToldTurn & { isNewlyTold: boolean; isCorrection: boolean; quotations: Quotations };

/**
 * Functions for an upstream that has none: the model is told of them in the prompt, and calls that it writes as text become
 * tool calls. An answer of no use is rejected by a RejectedAnswerError, and the turn must be sent again, to be corrected;
 * after `limits.toolCorrections` of them it is given as it is, or fails if the client forced a call.
 */
export class ToolTransform implements Transform {
  readonly #request: ChatRequest;
  readonly #tools: readonly Tool[];
  readonly #options: ToolTransformOptions;
  #sent: SentTurn | undefined;
  /** Answers that were rejected, and what is said of the last one. */
  #rejections = 0;
  #correction: string | undefined;
  #resendFor: string[] = [];
  #isShort = false;
  /** Whether the client has text of a rejected answer. */
  #hasText = false;

  /** Throws `invalid_request` for two functions of one name: a call could not say which of them it means. */
  constructor(request: ChatRequest, options: ToolTransformOptions) {
    this.#request = request;
    this.#tools = distinctTools(request.tools ?? []);
    this.#options = options;
  }

  request(request: UpstreamRequest): UpstreamRequest {
    const { toolState } = request.continueFrom ?? {};
    const state = toolState === undefined ? undefined : parseToolState(toolState);
    const isTold = this.#tools.length > 0 && this.#request.toolChoice !== "none";
    this.#sent = isTold || state ? this.#tell(request, state) : undefined;
    if (!this.#sent) return request;
    const { search, thinking, model } = request;
    return {
      ...request,
      messages: this.#sent.messages,
      // Kimi's own tools run in its cloud, not on the person's computer.
      search: search === true,
      // A model that thinks takes functions for an injection more often, and needs 22 times the tokens.
      thinking: thinking ?? model.thinking[0] ?? "off",
    };
  }

  #tell(request: UpstreamRequest, state: ToolState | undefined): SentTurn {
    const { messages, toolChoice, parallelToolCalls } = this.#request;
    const sent = new Set(request.messages);
    const told = tellTools({
      messages: request.messages,
      before: messages.filter((message) => !sent.has(message)),
      tools: this.#tools,
      toolChoice,
      parallelToolCalls,
      state,
      resendFor: this.#resendFor,
      ...(this.#isShort ? { isShort: true } : {}),
      ...(this.#correction === undefined ? {} : { correction: this.#correction }),
      maxOldResultCharacters: this.#options.maxOldResultCharacters,
    });
    const isContinued = request.continueFrom !== undefined;
    const isPartial = isContinued && (!state || state.hasUnseen === true || sent.size >= messages.length);
    const quotations = new Quotations(messages, told.aliases, { isPartial });
    const newState: ToolState =
      isPartial || request.search === true ? { ...told.state, hasUnseen: true } : told.state;
    return {
      ...told,
      state: newState,
      quotations,
      isNewlyTold: !state,
      // The client's next request has what was said here, so that it can go on from the turn before.
      isCorrection: this.#correction !== undefined && isContinued && this.#request.conversation === undefined,
    };
  }

  events(sink: EventSink, upstream: UpstreamControl): EventSink {
    const sent = this.#sent;
    if (!sent) {
      const filter = new NativeMarkupFilter((count) => this.#options.observer.onMarkup(count));
      return filter.events(sink);
    }
    const answer = this.#createAnswer(sent);
    const toolState = JSON.stringify(sent.state);
    let heldSince: number | undefined;
    return (received) => {
      const wasEnded = answer.isEnded;
      for (const event of received)
        if (event.type === "source") sent.quotations.add(textOfSource(event.source));
      const events = answer.read(
        received.map((event) => (event.type === "chat-opened" ? { ...event, toolState } : event)),
      );
      heldSince = answer.isHolding ? (heldSince ?? performance.now()) : undefined;
      if (heldSince !== undefined && performance.now() - heldSince > limits.toolCallHoldTime)
        answer.release();
      this.#hasText ||= answer.hasText;
      if (answer.rejection) return this.#reject(answer, answer.rejection, { events, sink });
      if (answer.isEnded && received.at(-1)?.type !== "finish")
        stopTail(upstream, { wasEnded, characters: answer.surplusCharacters });
      return events.length > 0 ? sink(events) : undefined;
    };
  }

  #createAnswer({ state, aliases, quotations, isNewlyTold, isCorrection }: SentTurn): CallAnswer {
    const { toolChoice, parallelToolCalls } = this.#request;
    return new CallAnswer({
      parser: {
        word: state.word,
        resolve: (name) => aliases.resolve(name),
        isQuotation: (name, text) => quotations.isQuotation(name, text),
      },
      toolChoice: this.#tools.length === 0 ? "none" : (toolChoice ?? "auto"),
      allowsParallelCalls: parallelToolCalls ?? true,
      isNewlyTold,
      isCorrection,
      hasEarlierText: this.#hasText,
      observer: this.#options.observer,
    });
  }

  /** Throws RejectedAnswerError once the events are emitted; after the last correction ends the answer as it is. */
  async #reject(
    answer: CallAnswer,
    rejection: Rejection,
    { events, sink }: { events: ChatEvent[]; sink: EventSink },
  ): Promise<void> {
    if (events.length > 0) await sink(events);
    const { reason, invalid } = rejection;
    // A call that is not allowed, and a tool of the service, are corrected once only.
    const maxCorrections =
      reason === "forbidden-call" || reason === "service-tool" ? 1 : limits.toolCorrections;
    if (this.#rejections >= maxCorrections) {
      await sink(this.#endAsIs(answer));
      return;
    }
    this.#rejections++;
    this.#options.observer.onCorrection(reason);
    this.#isShort ||= reason === "refused";
    this.#resendFor = invalid ? namesToResend(invalid.name, this.#tools) : [];
    this.#correction =
      reason === "refused"
        ? undefined
        : correctionLine({
            written: invalid?.text ?? "",
            problem: invalid?.problem.message ?? problems[reason],
          });
    throw new RejectedAnswerError(reason === "refused" || this.#rejections > 1);
  }

  #endAsIs(answer: CallAnswer): ChatEvent[] {
    if (!answer.isForced) return answer.endAsText();
    throw new GatewayError(
      "upstream_protocol",
      "tool_choice: the model wrote no call that can be used, though it was asked three times. Try again, or another " +
        "model, or leave the choice to the model.",
      { param: "tool_choice" },
    );
  }
}

function textOfSource({ title, url, snippet = "", site = "" }: Source): string {
  return [title, url, snippet, site].join("\n");
}

/** What the model is told of an answer without a call that could be quoted. */
const problems: Record<Exclude<CorrectionReason, "refused">, string> = {
  "unknown-tool": "There is no function of that name.",
  unparsable: "The call could not be read.",
  schema: "The arguments did not fit the function.",
  "no-call": "The answer had no call, but one is needed here.",
  "service-tool":
    "A tool of the cloud was used, which is not connected to the user's computer. The functions above are.",
  "forbidden-call": "The answer was a call, but functions are not available for it. It is to be prose.",
};

/** The model may go on for a little: a chat that is cancelled refuses the next message for seconds. */
function stopTail(
  upstream: UpstreamControl,
  { wasEnded, characters }: { wasEnded: boolean; characters: number },
): void {
  if (characters > limits.callTailText) upstream.stopWithin(0);
  else if (!wasEnded) upstream.stopWithin(limits.callTailTime);
}

/** The functions whose description is sent again after a wrong call; none if the name is that of no function. */
function namesToResend(name: string | undefined, tools: readonly Tool[]): string[] {
  return name !== undefined && tools.some((tool) => tool.name === name) ? [name] : [];
}

function distinctTools(tools: readonly Tool[]): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    const first = byName.get(tool.name);
    if (first && JSON.stringify(first) !== JSON.stringify(tool))
      throw new GatewayError(
        "invalid_request",
        `tools: two functions have the name “${tool.name.slice(0, 64)}”. Give each its own.`,
        { param: "tools" },
      );
    byName.set(tool.name, tool);
  }
  return [...byName.values()];
}
