import { expect, test } from "vitest";
import { chatBody, postChat, startGateway } from "../gateway.js";

const sources = [
  { title: "A", url: "https://example.org/a", snippet: "" },
  { title: "B", url: "https://example.org/b", snippet: "" },
];
const mark = (index: number) => `\ue3a0cite\ue3a3web_search:1#${index}\ue3a8`;
const markedAnswer = `The moon ${mark(0)} is far${mark(0)}${mark(1)} away.${mark(1)}Really${mark(0)}`;

test.each([
  [
    "inline",
    /^The moon \[1\]\(\S+\) is far \[1\]\(\S+\) \[2\]\(\S+\) away\. \[2\]\(\S+\) Really \[1\]\(\S+\)\n\n/,
  ],
  ["footer", /^The moon {2}is far away\.Really\n\n/],
  ["annotations", /^The moon {2}is far away\.Really$/],
  ["off", /^The moon {2}is far away\.Really$/],
])("an answer with citations continues its chat as it was shown in the mode %s", async (citations, shown) => {
  const gateway = await startGateway({
    simulator: {
      script: () => [
        { do: "think", content: ["Hm."] },
        { do: "search", queries: ["moon"], sources },
        { do: "text", content: [...markedAnswer] },
      ],
    },
  });
  const messages = [{ role: "user", content: "one" }];
  const first: { choices: { message: { content: string } }[] } = JSON.parse(
    await (await postChat(gateway, chatBody("", { messages, citations }))).text(),
  );
  const content = first.choices[0]?.message.content ?? "";
  expect(content).toMatch(shown);
  for (const returned of [content, `${content}\n`, `<think>Hm.</think>\n\n${content}`]) {
    const next = [...messages, { role: "assistant", content: returned }, { role: "user", content: "two" }];
    await postChat(gateway, chatBody("", { messages: next, citations }));
    const { body } = gateway.simulator.calls.findLast(({ path }) => path.endsWith("/Chat")) ?? {};
    expect(body).toMatchObject({
      chat_id: expect.any(String),
      message: { blocks: [{ text: { content: "two" } }] },
    });
  }
});
