import type { LogLine } from "../admin/log-line.js";
import { limits } from "../core/limits.js";
import { parseObject } from "../lib/json.js";

const levels: Record<number, LogLine["level"]> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};

/** The last lines of the log but those of requests, which the journal has. */
export class LogTail {
  #lines: string[] = [];

  add(line: string): void {
    if (line.endsWith('"msg":"request"}\n')) return;
    this.#lines.push(line);
    if (this.#lines.length >= limits.logTail * 2) this.#lines = this.#lines.slice(-limits.logTail);
  }

  /** The oldest first. */
  lines(): LogLine[] {
    return this.#lines.slice(-limits.logTail).flatMap((line): LogLine[] => {
      const { time, level, msg, ...fields } = parseObject(line) ?? {};
      if (typeof time !== "number") return [];
      return [{ time, level: levels[Number(level)] ?? "debug", message: String(msg ?? ""), fields }];
    });
  }
}
