/** How to use one of the gateway's APIs. To add an API, add an entry to `dialects`. */
export type Dialect = {
  /** The path of its requests. */
  path: string;
  /** The body of a request with this prompt. */
  body(model: string, prompt: string, stream: boolean): object;
  /** The text in an event of a stream; empty for none. */
  eventText(event: JsonReader): string;
  /** Whether this is the last event of a complete answer; `data` is its text, `event` the JSON in it. */
  isLastEvent(data: string, event: JsonReader): boolean;
  /** The text in the body of a response that is not streamed. */
  responseText(body: JsonReader): string;
};

/** Reads parsed JSON of unknown shape. */
export class JsonReader {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The string at the path; empty if there is none. */
  stringAt(...path: readonly (string | number)[]): string {
    let value = this.#value;
    for (const step of path) {
      if (typeof value !== "object" || value === null) return "";
      value = Reflect.get(value, step);
    }
    return typeof value === "string" ? value : "";
  }
}

/** The gateway's dialects by name. */
export const dialects = {
  chat: {
    path: "/v1/chat/completions",
    body: (model, prompt, stream) => ({ model, stream, messages: [{ role: "user", content: prompt }] }),
    eventText: (event) => event.stringAt("choices", 0, "delta", "content"),
    isLastEvent: (data) => data === "[DONE]",
    responseText: (body) => body.stringAt("choices", 0, "message", "content"),
  },
  responses: {
    path: "/v1/responses",
    body: (model, prompt, stream) => ({ model, stream, input: prompt }),
    eventText: (event) =>
      event.stringAt("type") === "response.output_text.delta" ? event.stringAt("delta") : "",
    isLastEvent: (_data, event) => event.stringAt("type") === "response.completed",
    responseText: (body) => body.stringAt("output", 0, "content", 0, "text"),
  },
  messages: {
    path: "/v1/messages",
    body: (model, prompt, stream) => ({
      model,
      stream,
      max_tokens: 32_000,
      messages: [{ role: "user", content: prompt }],
    }),
    eventText: (event) => event.stringAt("delta", "text"),
    isLastEvent: (_data, event) => event.stringAt("type") === "message_stop",
    responseText: (body) => body.stringAt("content", 0, "text"),
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof dialects;
