import { expect, test } from "vitest";
import { ReplicaSet } from "./replica-set.js";

test("/metrics counts the round trips to Redis", async () => {
  const replicas = await ReplicaSet.start({ replicas: 1 });
  const count = async () => {
    const { body } = await replicas.get(0, "/metrics");
    return Number(/^moonbridge_store_round_trips_total (\d+)$/m.exec(body)?.[1]);
  };
  const before = await count();
  await replicas.ask(0, "hello");
  expect((await count()) - before).toBeGreaterThanOrEqual(3);
  expect((await replicas.get(0, "/metrics")).body).toMatch(/^moonbridge_store_refused_locks_total \d+$/m);
});
