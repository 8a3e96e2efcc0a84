/** What clients of the gateway speak: a new dialect is one entry here. */
export type Dialect = {
  path: string;
  /** A request for this prompt. */
  body(model: string, prompt: string, stream: boolean): object;
  /** The text that an event of a stream brings. */
  pieceOf(event: Json): string;
  /** Whether this is the last event of a good answer. */
  isEnd(data: string, event: Json): boolean;
  /** The text of an answer that came in one piece. */
  textOf(answer: Json): string;
};

/** Parsed JSON, to be asked for what it has at a path; the end is a string or nothing. */
export class Json {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  at(...path: readonly (string | number)[]): string {
    let value = this.#value;
    for (const step of path) {
      if (typeof value !== "object" || value === null) return "";
      value = Reflect.get(value, step);
    }
    return typeof value === "string" ? value : "";
  }
}

export const dialects = {
  chat: {
    path: "/v1/chat/completions",
    body: (model, prompt, stream) => ({ model, stream, messages: [{ role: "user", content: prompt }] }),
    pieceOf: (event) => event.at("choices", 0, "delta", "content"),
    isEnd: (data) => data === "[DONE]",
    textOf: (answer) => answer.at("choices", 0, "message", "content"),
  },
  responses: {
    path: "/v1/responses",
    body: (model, prompt, stream) => ({ model, stream, input: prompt }),
    pieceOf: (event) => (event.at("type") === "response.output_text.delta" ? event.at("delta") : ""),
    isEnd: (_data, event) => event.at("type") === "response.completed",
    textOf: (answer) => answer.at("output", 0, "content", 0, "text"),
  },
  messages: {
    path: "/v1/messages",
    body: (model, prompt, stream) => ({
      model,
      stream,
      max_tokens: 32_000,
      messages: [{ role: "user", content: prompt }],
    }),
    pieceOf: (event) => event.at("delta", "text"),
    isEnd: (_data, event) => event.at("type") === "message_stop",
    textOf: (answer) => answer.at("content", 0, "text"),
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof dialects;
