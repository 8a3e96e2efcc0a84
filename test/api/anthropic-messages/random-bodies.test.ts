import { expect, test } from "vitest";
import { startGateway } from "../../gateway.js";
import { sendRandomBodies } from "./random-bodies.js";

test("300 random bodies get an answer or Anthropic's form of an error, never a failure of the server", async () => {
  const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
  const statuses = await sendRandomBodies(gateway, { count: 300, seed: 20_261_129 });
  expect(statuses.get(400)).toBeGreaterThan(50);
  expect(statuses.get(200)).toBeGreaterThan(20);
  expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
});
