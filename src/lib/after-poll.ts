const queue: (() => void)[] = [];

/**
 * Runs a task once this turn of the event loop has brought all that it brings; one that is added meanwhile runs after
 * those that wait already. Done one after the other, each kind of work finds its code and its data still at hand. One
 * that throws takes none of the others with it.
 */
export function afterPoll(task: () => void): void {
  if (queue.push(task) === 1) setImmediate(runQueued);
}

function runQueued(): void {
  let at = 0;
  try {
    for (let task = queue[0]; task; task = queue[at]) {
      at++;
      task();
    }
  } finally {
    queue.splice(0, at);
    if (queue.length > 0) setImmediate(runQueued);
  }
}
