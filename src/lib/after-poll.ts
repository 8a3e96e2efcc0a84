const due: (() => void)[] = [];

/**
 * Runs a task once this turn of the event loop has brought all that it brings; one that is added meanwhile runs after
 * those that wait already. Done one after the other, each kind of work finds its code and its data still at hand. One
 * that throws takes none of the others with it.
 */
export function atTurnEnd(task: () => void): void {
  if (due.push(task) === 1) setImmediate(runDue);
}

function runDue(): void {
  let at = 0;
  try {
    for (let task = due[0]; task; task = due[at]) {
      at++;
      task();
    }
  } finally {
    due.splice(0, at);
    if (due.length > 0) setImmediate(runDue);
  }
}
