import { setTimeout } from "node:timers/promises";
import type { Child } from "./child.js";

/** Resolves when the URL responds with 200. Throws if the process ends, or after 30 s. */
export async function waitUntilReady(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (child.exited || Date.now() > deadline)
      throw new Error(`${url} never answered: ${child.outputTail()}`);
    await setTimeout(5);
  }
}
