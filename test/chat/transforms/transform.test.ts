import { expect, test } from "vitest";
import type { Transform, TransformFactory } from "../../../src/chat/transforms/transform.js";
import type { ChatEvent, EventSink, UpstreamRequest } from "../../../src/core/types.js";
import { chatBody, contentOf, type Gateway, parseChunks, postChat, startGateway } from "../../gateway.js";

/** Replaces words of the prompt on the way out and words of the answer on the way back. */
function replacing(words: { prompt: [string, string]; answer: [string, string] }): Transform {
  const replaceIn = (event: ChatEvent): ChatEvent =>
    event.type === "text" ? { ...event, text: event.text.replaceAll(...words.answer) } : event;
  return {
    request: (request: UpstreamRequest): UpstreamRequest => ({
      ...request,
      messages: request.messages.map((message) => ({
        ...message,
        content: message.content.map((part) =>
          part.type === "text" ? { ...part, text: part.text.replaceAll(...words.prompt) } : part,
        ),
      })),
    }),
    events:
      (sink: EventSink): EventSink =>
      (events) =>
        sink(events.map(replaceIn)),
  };
}

/** Marks the end of every answer as one that the upstream does not hold in this form. */
const inexact: Transform = {
  events: (sink) => (events) =>
    sink(events.map((event) => (event.type === "finish" ? { ...event, isInexact: true } : event))),
};

async function ask(gateway: Gateway, messages: object[], stream: boolean): Promise<string> {
  const response = await postChat(gateway, { ...chatBody(""), messages, stream });
  if (stream) return contentOf(parseChunks(await response.text()));
  return JSON.parse(await response.text()).choices[0].message.content;
}

function lastPrompt({ simulator }: Gateway): string {
  const { body } = simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat")).at(-1) ?? {};
  return JSON.parse(JSON.stringify(body)).message.blocks[0].text.content;
}

test.each([true, false])(
  "two transforms change request and answer in their order, stream: %s",
  async (stream) => {
    // Single characters, since the simulator may split an answer anywhere.
    const outer = replacing({ prompt: ["1", "2"], answer: ["4", "5"] });
    const inner = replacing({ prompt: ["2", "34"], answer: ["3", "4"] });
    const gateway = await startGateway({ transforms: [() => outer, () => undefined, () => inner] });
    const content = "sim:say=1";
    const answer = await ask(gateway, [{ role: "user", content }], stream);
    expect(lastPrompt(gateway)).toBe("sim:say=34");
    expect(answer).toBe("55");
  },
);

test("a transform is made once for a turn, with its request and route", async () => {
  const turns: string[] = [];
  const factory: TransformFactory = ({ request, route }) => {
    turns.push(`${request.model} ${route.upstream.name}`);
    return undefined;
  };
  const gateway = await startGateway({ transforms: [factory] });
  await ask(gateway, [{ role: "user", content: "hi" }], false);
  expect(turns).toEqual([`${chatBody("").model} me`]);
});

test("no turn continues after an answer that a transform marks as inexact", async () => {
  const gateway = await startGateway({ transforms: [() => inexact] });
  const first = { role: "user", content: "sim:say=first answer" };
  const answer = { role: "assistant", content: await ask(gateway, [first], false) };
  await ask(gateway, [first, answer, { role: "user", content: "and then?" }], false);
  expect(lastPrompt(gateway)).toContain("first answer");
});
