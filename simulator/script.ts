import { type ErrorCode, isErrorCode, Refusal } from "./errors.js";
import type { Fault } from "./faults.js";

/** A word `sim:NAME` or `sim:NAME=VALUE` of a prompt. */
export type Directive = { name: string; value: string };

/** The last line that says something; all that a directive may stand in, so that a transcript does not fire again. */
export function lastLine(text: string): string {
  return text.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? "";
}

/** The directives of a prompt, in order; `sim:say=` takes the rest of its line. */
export function directives(text: string): Directive[] {
  const words = lastLine(text).matchAll(/(?<!\S)sim:(?:(say)=(.*)$|([a-z-]+)(?:=(\S*))?)/g);
  return Array.from(words, ([, say, saying, name, value]) =>
    say ? { name: "say", value: saying ?? "" } : { name: name ?? "", value: value ?? "" },
  );
}

/** The fault of this name; arguments go by their looks and come in any order. Undefined for an unknown name. */
function faultOf(value: string): Fault | undefined {
  const [name = "", ...words] = value.split(",");
  const build = faults[name];
  return build?.(readArguments(words));
}

/** The fault that the directives ask for; throws the refusal of one that nobody knows. */
export function promptFault(asked: readonly Directive[]): Fault | undefined {
  const directive = asked.find(({ name }) => name === "fault");
  if (!directive) return undefined;
  const fault = faultOf(directive.value);
  if (!fault)
    throw new Refusal({ code: "invalid_argument" }, `the simulator knows no fault "${directive.value}"`);
  return fault;
}

type Arguments = {
  numbers: readonly number[];
  code: ErrorCode | undefined;
  reason: string | undefined;
  severity: string | undefined;
  paywall: boolean;
  afterDone: boolean;
  completed: boolean;
};

function readArguments(words: readonly string[]): Arguments {
  const values = words.map((word) => word.replace(/^[A-Za-z]+=/, ""));
  return {
    numbers: values.filter((value) => /^\d{1,7}$/.test(value)).map(Number),
    code: values.find(isErrorCode),
    reason: values.find((value) => /^(REASON_|[a-z]+\.[a-z_.]+$)/.test(value)),
    severity: values.find((value) => value.startsWith("SEVERITY_")),
    paywall: values.includes("paywall"),
    afterDone: values.includes("after-done"),
    completed: values.includes("COMPLETED"),
  };
}

const faults: Partial<Record<string, (given: Arguments) => Fault>> = {
  error: (given) => ({ kind: "error", ...errorShape(given) }),
  "error-late": (given) => ({ kind: "error-late", after: given.numbers[0], ...errorShape(given) }),
  http: ({ numbers }) => ({ kind: "http", status: httpStatus(numbers[0]), retryAfter: numbers[1] }),
  html: () => ({ kind: "html" }),
  expired: () => ({ kind: "expired" }),
  "cut-before": () => ({ kind: "cut-before" }),
  "slow-start": ({ numbers }) => ({ kind: "slow-start", milliseconds: numbers[0] ?? 1_000 }),
  cut: ({ numbers }) => ({ kind: "cut", after: numbers[0] }),
  "cut-in-frame": ({ numbers }) => ({ kind: "cut-in-frame", after: numbers[0] }),
  "no-trailer": ({ numbers }) => ({ kind: "no-trailer", after: numbers[0] }),
  stall: ({ numbers }) => ({ kind: "stall", after: numbers[0] }),
  "stall-heartbeat": ({ numbers }) => ({
    kind: "stall-heartbeat",
    after: numbers[0],
    everyMilliseconds: numbers[1],
  }),
  split: ({ numbers }) => ({ kind: "split", bytes: numbers[0] }),
  burst: () => ({ kind: "burst" }),
  gzip: () => ({ kind: "gzip" }),
  snapshot: () => ({ kind: "snapshot" }),
  "old-ids": () => ({ kind: "old-ids" }),
  "no-mask": () => ({ kind: "no-mask" }),
  unknown: () => ({ kind: "unknown" }),
  degrade: () => ({ kind: "degrade" }),
  empty: () => ({ kind: "empty" }),
  "think-only": () => ({ kind: "think-only" }),
  truncated: ({ numbers }) => ({ kind: "truncated", after: numbers[0] }),
  cancelled: ({ numbers }) => ({ kind: "cancelled", after: numbers[0] }),
  "status-error": ({ numbers }) => ({ kind: "status-error", after: numbers[0] }),
  garbage: ({ numbers }) => ({ kind: "garbage", after: numbers[0] }),
  huge: ({ numbers }) => ({ kind: "huge", after: numbers[0] }),
  rewrite: ({ numbers }) => ({ kind: "rewrite", after: numbers[0] }),
  retract: ({ numbers }) => ({ kind: "retract", after: numbers[0] }),
  exception: ({ numbers, reason, severity, paywall, completed }) => ({
    kind: "exception",
    reason: reason ?? "REASON_COMPLETION_OVERLOADED",
    severity,
    paywall,
    after: numbers[0],
    status: completed ? "COMPLETED" : "ERROR",
  }),
};

/** Kimi's own favourite refusal where the prompt names none (kimi-web.md §2.9). */
function errorShape({ code, reason, paywall, afterDone }: Arguments) {
  const overloaded = code ? undefined : "REASON_SERVER_OVERLOADED_FOR_FREE_USER";
  return { code: code ?? ("resource_exhausted" as const), reason: reason ?? overloaded, paywall, afterDone };
}

function httpStatus(number: number | undefined): number {
  return number !== undefined && number >= 400 && number <= 599 ? number : 503;
}
