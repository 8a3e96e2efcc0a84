import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Agent, Place } from "./agent.js";

/** What a client says of a stream that it could not read as it wished. */
const complaint =
  /malformed|unexpected (token|end|event|chunk)|unknown (event|chunk|block)|(invalid|failed to parse|cannot parse|could not parse).{0,40}(json|chunk|event|stream|sse|response)|type validation failed|missing (role|finish)|without (a )?finish|premature|truncated|idle timeout/i;
const warning = /\b(warn(ing)?|error|fatal)\b|"level":[456]0\b/i;

/** The lines of the agent's own logs, and of what it printed, that warn of a stream. */
export function streamWarnings(agent: Agent, place: Place, printed: string): string[] {
  const logs = agent.logs
    .flatMap((path) => filesIn(join(place.home, path)))
    .map((file) => readFileSync(file, "utf8"));
  return [...logs, printed]
    .flatMap((text) => text.split("\n"))
    .filter((line) => complaint.test(line) && warning.test(line))
    .map((line) => line.slice(0, 400));
}

/** Log files below a folder, or one log file. */
function filesIn(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [];
  if (!found.isDirectory()) return path.endsWith(".log") ? [path] : [];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}
