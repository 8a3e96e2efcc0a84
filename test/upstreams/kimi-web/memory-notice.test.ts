import { expect, test } from "vitest";
import { chatBody, postChat, startGateway } from "../../gateway.js";

test("Kimi's memory is told of in the first answer in which it is seen, and counts as nothing unknown", async () => {
  const gateway = await startGateway();
  const answer = async () => {
    gateway.simulator.fault({ kind: "memory" });
    return JSON.parse(await (await postChat(gateway, chatBody("sim:say=hello"))).text());
  };
  const first = await answer();
  expect(first.choices[0].message.content).toBe("hello");
  expect(first.moonbridge_notices).toEqual([
    { code: "kimi_memory", message: expect.stringContaining("switch it off") },
  ]);
  expect(await answer()).not.toHaveProperty("moonbridge_notices");
  expect(gateway.drift.entries()).toEqual([]);
});
