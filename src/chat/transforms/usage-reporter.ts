import {
  type ChatEvent,
  type ChatRequest,
  type EventSink,
  isVisible,
  type Message,
  type UpstreamRequest,
  type Usage,
} from "../../core/types.js";
import { countRequestTokens, countTextTokens, countTokens } from "../token-count.js";
import type { TokenMeter } from "../token-meter.js";
import type { AnswerRecorder } from "./answer-recorder.js";
import type { Transform } from "./transform.js";

/**
 * Emits the usage of the turn right before its `finish`: as the upstream reports it, else an estimate (Kimi's web chat
 * reports none). Where the client's dialect names the input first, an estimate of that is emitted before the first visible
 * event, too. The upstream's own usage events go no further.
 */
export class UsageReporter implements Transform {
  readonly #request: Pick<ChatRequest, "messages" | "tools" | "usage">;
  readonly #recorder: AnswerRecorder;
  readonly #meter: Pick<TokenMeter, "begin">;
  #reported: Usage | undefined;
  #input: Promise<number> | undefined;
  #isInputEmitted: boolean;
  /** The messages that the chat does not have; undefined if it is a new one. */
  #newMessages: readonly Message[] | undefined;

  /** `recorder` records the answer of the same turn. */
  constructor(
    request: Pick<ChatRequest, "messages" | "tools" | "usage">,
    recorder: AnswerRecorder,
    meter: Pick<TokenMeter, "begin">,
  ) {
    this.#request = request;
    this.#recorder = recorder;
    this.#meter = meter;
    this.#isInputEmitted = request.usage !== "early and final";
  }

  request(request: UpstreamRequest): UpstreamRequest {
    this.#newMessages = request.continueFrom ? request.messages : undefined;
    return request;
  }

  events(sink: EventSink): EventSink {
    let hasBegun = false;
    return (events) => {
      if (!hasBegun) this.#meter.begin(this);
      hasBegun = true;
      const own = this.#takeReported(events);
      const last = own.at(-1);
      if (last?.type === "finish" && this.#request.usage !== "none") return this.#emitFinal(own, sink);
      if (!this.#isInputEmitted && own.some(isVisible)) return this.#emitInput(own, sink);
      return own.length > 0 ? sink(own) : undefined;
    };
  }

  #takeReported(events: readonly ChatEvent[]): readonly ChatEvent[] {
    const reported = events.findLast((event) => event.type === "usage");
    if (!reported) return events;
    this.#reported = reported.usage;
    return events.filter(({ type }) => type !== "usage");
  }

  async #emitInput(events: readonly ChatEvent[], sink: EventSink): Promise<void> {
    await sink([...(await this.#takeInput()), ...events]);
  }

  async #emitFinal(events: readonly ChatEvent[], sink: EventSink): Promise<void> {
    const input = await this.#takeInput();
    const usage = await this.usage();
    await sink([...input, ...events.slice(0, -1), { type: "usage", usage }, ...events.slice(-1)]);
  }

  /** The estimate of the input, once, where the client's dialect names it first. */
  async #takeInput(): Promise<ChatEvent[]> {
    if (this.#isInputEmitted) return [];
    this.#isInputEmitted = true;
    const input = await this.#countInput();
    const cached = await this.#countCached();
    return [{ type: "usage", usage: { input, output: 0, reasoning: 0, cached, estimated: true } }];
  }

  /** The usage so far. */
  async usage(): Promise<Usage> {
    return this.#reported ?? (await this.#estimate());
  }

  async #estimate(): Promise<Usage> {
    const { reasoning, toolCalls } = this.#recorder.answer;
    const calls = toolCalls.map((call) => call.name + call.arguments).join("");
    const reasoningTokens = await countTextTokens(reasoning);
    const spoken = (await countTextTokens(this.#recorder.uncitedText)) + (await countTextTokens(calls));
    const output = spoken + reasoningTokens;
    return {
      input: await this.#countInput(),
      output,
      reasoning: reasoningTokens,
      cached: await this.#countCached(),
      estimated: true,
    };
  }

  /** What the chat already had of the input. */
  async #countCached(): Promise<number> {
    if (!this.#newMessages) return 0;
    return Math.max(0, (await this.#countInput()) - (await countTokens(this.#newMessages)));
  }

  #countInput(): Promise<number> {
    this.#input ??= countRequestTokens(this.#request);
    return this.#input;
  }
}
