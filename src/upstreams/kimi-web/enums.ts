/** Enums by their numbers, without prefixes: the page's own JSON and unknown values have numbers (kimi-web.md §2.5, §2.9). */
const roles = ["", "system", "user", "assistant"];
const messageStatuses = [
  "UNSPECIFIED",
  "GENERATING",
  "COMPLETED",
  "CANCELLED",
  "TRUNCATED",
  "ERROR",
  "PENDING",
];
const severities = ["", "INFO", "BLOCK_RETRACT", "MESSAGE_RETRACT"];
const reasons = [
  "",
  "CONTENT_FILTER",
  "TOKEN_LENGTH_TOO_LONG",
  "COMPLETION_OVERLOADED",
  "REQUEST_ERROR",
  "INCONSISTENT_FILE_TYPE",
  "TEXT_USAGE_EXCEEDED",
  "THINK_USAGE_EXCEEDED",
  "K2_USAGE_EXCEEDED",
  "REQUEST_RATE_EXCEEDED",
  "RESEARCH_TASK_CONCURRENT_LIMIT",
  "DEEP_RESEARCH_USAGE_EXCEEDED",
  "ANONYMOUS_USAGE_EXCEEDED",
  "ABNORMAL_USER_USAGE_EXCEEDED",
  "ABNORMAL_USER_SURVEY_REQUIRED",
  "EXCEED_TOOL_CALL_MAX_ROUNDS",
  "RATE_LIMIT_EXCEEDED",
  "CHAT_INTERRUPTED",
  "CHAT_FATAL_ERROR",
  "LLM_UNAVAILABLE",
];

export const roleName = (value: unknown) => enumName(value, roles, "");
export const statusName = (value: unknown) => enumName(value, messageStatuses, "MESSAGE_STATUS_");
export const severityName = (value: unknown) => enumName(value, severities, "SEVERITY_");
export const reasonName = (value: unknown) => enumName(value, reasons, "REASON_");

/** The name of an enum value; of a number that is not known the number itself, and empty if there is none. */
function enumName(value: unknown, names: readonly string[], prefix: string): string {
  if (typeof value === "number") return names[value] ?? String(value);
  if (typeof value !== "string") return "";
  return value.startsWith(prefix) ? value.slice(prefix.length) : value;
}

export const knownStatuses: ReadonlySet<string> = new Set(messageStatuses);
export const knownSeverities: ReadonlySet<string> = new Set(severities);
export const knownRoles: ReadonlySet<string> = new Set(roles);
