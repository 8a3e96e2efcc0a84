const queue: (() => void)[] = [];

/**
 * Defers a task to the check phase of the event loop, after all readable sockets of this iteration were read. First in,
 * first out; a task that throws does not drop the others. The deltas that arrived together go out in one write. CPU per
 * delta against delivery at once: 0.81 to 1.15 ×, on a busy machine (performance.md).
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
