const queue: (() => void)[] = [];

/**
 * Defers a task to the check phase of the event loop, after all readable sockets of this iteration were read. First in,
 * first out; a task that throws does not drop the others. Running the same kind of work for all streams together costs
 * a quarter less CPU than running all kinds stream by stream (performance.md).
 */
export function afterPoll(task: () => void): void {
  if (queue.push(task) === 1) setImmediate(runQueued);
}

function runQueued(): void {
  let done = 0;
  try {
    for (let task = queue[0]; task; task = queue[done]) {
      done++;
      task();
    }
  } finally {
    queue.splice(0, done);
    if (queue.length > 0) setImmediate(runQueued);
  }
}
