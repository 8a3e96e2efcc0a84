import type { ToolUse } from "./agent.js";

/** A task for the taught model of the simulator: `rounds` are its calls, and the last result is its answer. */
export function taskOf(task: string, ...rounds: ToolUse[][]): string {
  const calls = rounds.map((round) =>
    round.map(({ name, arguments: values }) => `sim:call ${name} ${JSON.stringify(values)}`).join("\n"),
  );
  return `${task}\n${calls.join("\nsim:then\n")}\nsim:then\nsim:quote\nThank you.`;
}
