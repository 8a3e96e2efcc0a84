import type { GatewayError } from "../../core/errors.js";
import type { FinishReason, Usage } from "../../core/types.js";
import { asText, textsIn } from "../../lib/json.js";
import { AnswerFacts } from "../stream/answer-facts.js";
import { failureObject } from "./errors.js";
import type { OutputItem } from "./output-item.js";
import type { ResponsesBody } from "./schema.js";

type Status = "in_progress" | "completed" | "incomplete" | "failed";

/** A response as clients read it; the other fields repeat the request. */
export type ResponseObject = {
  id: string;
  object: "response";
  created_at: number;
  status: Status;
  model: string;
  output: readonly OutputItem[];
} & Record<string, unknown>;

/** Characters of JSON of tools and instructions that are repeated: no client reads them, and Codex's are 40 KB. */
const maxEchoLength = 8_000;

/** What one response has in all its forms. */
export class ResponseMetadata {
  readonly id: string;
  readonly #createdAt = Math.floor(Date.now() / 1_000);
  readonly #echo: Record<string, unknown>;
  readonly facts: AnswerFacts;
  /** Whether it is kept; false as well if that has failed. */
  isStored: boolean;
  /** Moonbridge's own fields of the end. */
  #notices: Record<string, unknown> = {};

  constructor(id: string, body: ResponsesBody) {
    this.id = id;
    this.facts = new AnswerFacts(body.model);
    this.isStored = body.store ?? true;
    this.#echo = echoOf(body);
  }

  /** Takes the notices so far into the finished response, whose object may be asked for more than once. */
  keepNotices(): void {
    this.#notices = this.facts.notices.takeFields();
  }

  inProgress(): ResponseObject {
    return this.#object("in_progress", [], {});
  }

  finished(reason: FinishReason, output: readonly OutputItem[]): ResponseObject {
    const incomplete = incompleteReason(reason);
    return this.#object(incomplete === undefined ? "completed" : "incomplete", output, {
      completed_at: Math.floor(Date.now() / 1_000),
      ...(incomplete === undefined ? {} : { incomplete_details: { reason: incomplete } }),
      ...this.#notices,
    });
  }

  failed(error: GatewayError, output: readonly OutputItem[]): ResponseObject {
    return this.#object("failed", output, { error: failureObject(error), store: false });
  }

  #object(status: Status, output: readonly OutputItem[], fields: Record<string, unknown>): ResponseObject {
    const { model, usage, conversation } = this.facts;
    return {
      id: this.id,
      object: "response",
      created_at: this.#createdAt,
      status,
      background: false,
      error: null,
      incomplete_details: null,
      ...this.#echo,
      model,
      output,
      store: this.isStored,
      ...(usage ? { usage: usageObject(usage) } : {}),
      ...(conversation === undefined ? {} : { conversation_id: conversation }),
      ...fields,
    };
  }
}

export function usageObject({ input, output, reasoning, cached, estimated }: Usage) {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
    ...(estimated ? { estimated: true } : {}),
  };
}

/** Whether `include` names this. */
export function includes({ include }: Pick<ResponsesBody, "include">, name: string): boolean {
  return textsIn(include).includes(name);
}

function incompleteReason(reason: FinishReason): string | undefined {
  switch (reason) {
    case "length":
      return "max_output_tokens";
    case "content-filter":
      return "content_filter";
    case "stop":
    case "tool-calls":
      return undefined;
  }
}

/** The parameters of the request as OpenAI repeats them, with the defaults of those that are not set. */
function echoOf(body: ResponsesBody): Record<string, unknown> {
  const { text, reasoning } = body;
  return {
    instructions: shortOr(body.instructions ?? null, null),
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: shortOr(body.metadata ?? {}, {}),
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: shortOr(body.prompt_cache_key ?? null, null),
    reasoning: { effort: asText(reasoning?.effort) ?? null, summary: asText(reasoning?.summary) ?? null },
    safety_identifier: null,
    service_tier: "default",
    temperature: body.temperature ?? 1,
    text: shortOr({ format: { type: "text" }, ...text }, { format: { type: "text" } }),
    tool_choice: shortOr(body.tool_choice ?? "auto", "auto"),
    tools: shortOr(body.tools ?? [], []),
    top_logprobs: 0,
    top_p: body.top_p ?? 1,
    truncation: "disabled",
    ...(body.user && body.user.length <= maxEchoLength ? { user: body.user } : {}),
  };
}

function shortOr<T>(value: T, instead: T): T {
  return JSON.stringify(value).length <= maxEchoLength ? value : instead;
}
