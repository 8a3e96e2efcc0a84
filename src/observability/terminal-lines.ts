import { isObject, parseObject } from "../lib/json.js";
import { toTerminalLine } from "../lib/terminal-text.js";

const levels: Record<number, string> = { 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };
const colors: Record<string, number> = { debug: 2, warn: 33, error: 31, fatal: 31 };
const dim = 2;

/** Fields that are at the beginning of a line or that only programs need. */
const hidden = new Set(["level", "time", "msg", "reqId", "route"]);

/**
 * A line of the log as a person reads it: `14:51:02 request POST /v1/chat/completions 200 model=kimi …`. The JSON line is
 * shown as it is if it cannot be parsed.
 */
export function toTerminalLogLine(json: string, hasColors: boolean): string {
  const entry = parseObject(json);
  if (!entry) return json;
  const paint = (text: string, color: number | undefined) =>
    hasColors && color !== undefined ? `\u001b[${color}m${text}\u001b[0m` : text;
  const level = levels[Number(entry.level)] ?? "info";
  const message = toTerminalLine(String(entry.msg ?? ""));
  const { method, status, path, route } = entry;
  const request =
    typeof method === "string" && typeof status === "number"
      ? [`${method} ${toTerminalLine(String(path ?? route))}`, paint(String(status), statusColor(status))]
      : [paint(message, colors[level])];
  const named = request.length > 1 ? ["method", "status", "path"] : [];
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name) && !named.includes(name))
    .map(([name, value]) => `${paint(`${name}=`, dim)}${toTerminalLine(fieldText(value))}`);
  const time = new Date(Number(entry.time)).toTimeString().slice(0, 8);
  return `${[paint(time, dim), level.padEnd(5), ...request, ...fields].join(" ")}\n`;
}

function fieldText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(",");
  return isObject(value) ? JSON.stringify(value) : String(value);
}

function statusColor(status: number): number {
  if (status < 400) return 32;
  return status < 500 ? 33 : 31;
}
