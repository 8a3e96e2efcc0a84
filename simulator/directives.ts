import { ApiError, type ErrorCode, isErrorCode } from "./errors.js";
import type { Fault } from "./faults.js";

/** A directive `sim:NAME` or `sim:NAME=VALUE` of a prompt (docs/reference/simulator.md, “Directives”). */
export type Directive = { name: string; value: string };

/** The last non-empty line. Only there are directives recognised, so that those of a transcript are not repeated. */
export function lastLine(text: string): string {
  return text.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? "";
}

/**
 * The directives of a prompt, in order; the value of `sim:say=` is the rest of the line. A directive stands at the start of
 * the line, after a space, or right behind a role word, since clients write transcripts in several forms (`user:sim:think`).
 */
export function parseDirectives(text: string): Directive[] {
  const matches = lastLine(text).matchAll(
    /(?<=^|\s|(?<!\S)(?:[Uu]ser|[Hh]uman|用户)[:：])sim:(?:(say)=(.*)$|([a-z-]+)(?:=(\S*))?)/g,
  );
  return Array.from(matches, ([, say, sayText, name, value]) =>
    say ? { name: "say", value: sayText ?? "" } : { name: name ?? "", value: value ?? "" },
  );
}

/** Parses `NAME[,ARGUMENT…]`; arguments are recognised by their form and may come in any order. Undefined for an unknown name. */
function parseFault(value: string): Fault | undefined {
  const [name = "", ...words] = value.split(",");
  const build = faultBuilders[name];
  return build?.(parseFaultArguments(words));
}

/** The fault of the directive `sim:fault`, if there is one. Throws ApiError for an unknown fault. */
export function findPromptFault(directives: readonly Directive[]): Fault | undefined {
  const directive = directives.find(({ name }) => name === "fault");
  if (!directive) return undefined;
  const fault = parseFault(directive.value);
  if (!fault)
    throw new ApiError({ code: "invalid_argument" }, `the simulator knows no fault "${directive.value}"`);
  return fault;
}

/** The arguments after the name of a fault, by their form. */
type FaultArguments = {
  numbers: readonly number[];
  code: ErrorCode | undefined;
  reason: string | undefined;
  severity: string | undefined;
  paywall: boolean;
  afterDone: boolean;
  completed: boolean;
};

function parseFaultArguments(words: readonly string[]): FaultArguments {
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

const faultBuilders: Partial<Record<string, (args: FaultArguments) => Fault>> = {
  error: (args) => ({ kind: "error", ...errorFields(args) }),
  "error-late": (args) => ({ kind: "error-late", after: args.numbers[0], ...errorFields(args) }),
  http: ({ numbers }) => ({ kind: "http", status: toHttpErrorStatus(numbers[0]), retryAfter: numbers[1] }),
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
  "cut-bytes": ({ numbers }) => ({ kind: "cut-bytes", bytes: numbers[0] ?? 1_000 }),
  split: ({ numbers }) => ({ kind: "split", bytes: numbers[0] }),
  burst: () => ({ kind: "burst" }),
  gzip: () => ({ kind: "gzip" }),
  snapshot: () => ({ kind: "snapshot" }),
  "old-ids": () => ({ kind: "old-ids" }),
  "no-mask": () => ({ kind: "no-mask" }),
  "wrong-chat": () => ({ kind: "wrong-chat" }),
  "wrong-parent": () => ({ kind: "wrong-parent" }),
  unknown: () => ({ kind: "unknown" }),
  memory: () => ({ kind: "memory" }),
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

/** The error fields; without a code, the overload error that Kimi sends most often (kimi-web.md §2.9). */
function errorFields({ code, reason, paywall, afterDone }: FaultArguments) {
  const overloaded = code ? undefined : "REASON_SERVER_OVERLOADED_FOR_FREE_USER";
  return { code: code ?? ("resource_exhausted" as const), reason: reason ?? overloaded, paywall, afterDone };
}

function toHttpErrorStatus(status: number | undefined): number {
  return status !== undefined && status >= 400 && status <= 599 ? status : 503;
}
