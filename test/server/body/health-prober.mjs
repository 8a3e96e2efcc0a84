/** Requests `/healthz` of the URL in argv again and again. Answers each message with the longest time so far, in ms. */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

let longest = 0;
let startedAt = performance.now();

process.on("message", () => {
  // A request that is still running counts too.
  process.send({ longest: Math.max(longest, performance.now() - startedAt) });
  longest = 0;
});

for (;;) {
  startedAt = performance.now();
  await new Promise((resolve) => {
    const request = get(`${process.argv[2]}/healthz`, { agent: false }, (response) => {
      response.resume().on("end", resolve);
    });
    request.on("error", resolve);
  });
  longest = Math.max(longest, performance.now() - startedAt);
  await sleep(20);
  startedAt = performance.now();
}
