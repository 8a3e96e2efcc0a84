import { expect, test } from "vitest";
import { startGateway } from "../gateway.js";

type Message = { role: "system" | "user" | "assistant"; content: string };

test("a history that is counted turn by turn takes what it takes when it is counted at once", async () => {
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
