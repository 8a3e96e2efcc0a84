import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startGateway } from "../gateway.js";
import { ask, longHistory } from "./long-conversation.js";

test("ten long histories at once are each answered from their own file, and short requests go on meanwhile", async () => {
  const gateway = await startGateway();
  const history = longHistory("which one? sim:recall=CANARY-quartz", { turns: 60 }).slice(1);
  const answers = Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      ask(gateway, [{ role: "user", content: `fact ${index} is CANARY-quartz` }, ...history]),
    ),
  );
  let shortAnswers = 0;
  let isEnded = false;
  const short = (async () => {
    while (!isEnded) {
      await ask(gateway, [{ role: "user", content: "hello" }]);
      shortAnswers++;
      await sleep(1);
    }
  })();
  const texts = (await answers).map(({ text }) => text);
  isEnded = true;
  await short;
  expect(texts).toEqual(Array.from({ length: 10 }, (_, index) => `user: fact ${index} is CANARY-quartz`));
  expect(shortAnswers).toBeGreaterThan(10);
});
