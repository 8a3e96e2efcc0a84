import { expect, test } from "vitest";
import { startGateway } from "../../gateway.js";
import { sendRandomBodies } from "./random-bodies.js";

test("10,000 random bodies get an answer or Anthropic's form of an error, never a failure of the server", async () => {
  const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
  const statuses = await sendRandomBodies(gateway, { count: 10_000, seed: 7 });
  expect([...statuses.keys()].sort().every((status) => status < 500)).toBe(true);
  expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
}, 300_000);
