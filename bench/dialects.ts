/** How an API of the gateway is asked and read; another API is another entry of `dialects`. */
export type Dialect = {
  path: string;
  body(prompt: string, stream: boolean): object;
  /** The text in an event of a stream, or in an answer in one piece, parsed; empty for none. */
  text(json: unknown): string;
  /** The data of the last event of a complete answer. */
  isLastEvent(data: string): boolean;
};

export const dialects = {
  chat: {
    path: "/v1/chat/completions",
    body: (prompt, stream) => ({ model: "kimi", stream, messages: [{ role: "user", content: prompt }] }),
    text: (json) => {
      const choice = (json as { choices: [{ delta?: Content; message?: Content }] }).choices[0];
      return (choice.delta ?? choice.message)?.content ?? "";
    },
    isLastEvent: (data) => data === "[DONE]",
  },
  messages: {
    path: "/v1/messages",
    body: (prompt, stream) => ({
      model: "kimi",
      max_tokens: 100_000,
      stream,
      messages: [{ role: "user", content: prompt }],
    }),
    text: (json) => {
      const { delta, content } = json as { delta?: Text; content?: Text[] };
      return (delta ?? content?.[0])?.text ?? "";
    },
    isLastEvent: (data) => data === '{"type":"message_stop"}',
  },
  responses: {
    path: "/v1/responses",
    body: (prompt, stream) => ({ model: "kimi", stream, store: false, input: prompt }),
    text: (json) => {
      const { type, delta, output } = json as {
        type?: string;
        delta?: string;
        output?: [{ content: [Text] }];
      };
      if (type === undefined) return output?.[0].content[0].text ?? "";
      return type === "response.output_text.delta" ? (delta ?? "") : "";
    },
    isLastEvent: (data) => data.startsWith('{"type":"response.completed"'),
  },
} as const satisfies Record<string, Dialect>;

type Text = { text?: string };
type Content = { content?: string | null };
export type DialectName = keyof typeof dialects;
