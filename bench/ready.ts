import { setTimeout } from "node:timers/promises";
import type { Child } from "./child.js";

/** Resolves when the address answers with 200; throws when the process has ended, or after half a minute. */
export async function untilReady(child: Child, url: string): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (child.exited || Date.now() > giveUpAt) throw new Error(`${url} never answered: ${child.output()}`);
    await setTimeout(5);
  }
}
