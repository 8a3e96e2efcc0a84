import fc from "fast-check";
import { expect, test } from "vitest";
import { countTokens, mayExceed } from "../../src/chat/token-count.js";
import { startGateway } from "../gateway.js";

type Message = { role: "system" | "user" | "assistant"; content: string };

test("a history counted turn by turn has the same token count as one counted at once", async () => {
  const gateway = await startGateway();
  const history: Message[] = [{ role: "system", content: "Be brief. ".repeat(50) }];
  let turnByTurn: number | undefined;
  for (const question of ["天空为什么是蓝色的？", "And at night?", "说得再详细一点。".repeat(40)]) {
    history.push({ role: "user", content: question });
    const answer = await gateway.client.chat.completions.create({ model: "kimi", messages: history });
    turnByTurn = answer.usage?.prompt_tokens;
    if (history.length < 6)
      history.push({ role: "assistant", content: answer.choices[0]?.message.content ?? "" });
  }
  const other = await startGateway();
  const atOnce = await other.client.chat.completions.create({ model: "kimi", messages: history });
  expect(turnByTurn).toBeGreaterThan(200);
  expect(turnByTurn).toBe(atOnce.usage?.prompt_tokens);
});

test("mayExceed is true for every limit below the token count", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 50 }),
    fc.string({
      unit: fc.constantFrom("☀", "❤️", "👩‍💻", "ż", "字", "か", "한", ".", "\n ", "7", "a"),
      maxLength: 50,
    }),
  );
  const call = fc.record({ id: fc.constant("c"), name: text, arguments: text });
  const message = fc.record({
    role: fc.constant("assistant" as const),
    content: fc.array(
      text.map((words) => ({ type: "text" as const, text: words })),
      { maxLength: 3 },
    ),
    toolCalls: fc.array(call, { maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 3 }), async (messages) => {
      const tokens = await countTokens(messages);
      if (tokens > 0) expect(mayExceed(messages, tokens - 1)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
