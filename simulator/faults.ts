import { envelope, hugeHeader } from "./envelope.js";
import type { ErrorShape } from "./errors.js";
import type { JsonObject } from "./json.js";
import { type Ending, type Place, type Step, type StepOf, splitAfter } from "./steps.js";

/** How many deltas are sent before the fault strikes; 2 unless told. */
type After = { after?: number | undefined };

/** What can go wrong with one answer; the same names serve in a prompt as `sim:fault=NAME`. */
export type Fault =
  /** The trailer before any content; with `afterDone` in the form of kimi-web.md §5.6. */
  | ({ kind: "error"; afterDone?: boolean | undefined } & ErrorShape)
  | ({ kind: "error-late"; afterDone?: boolean | undefined } & ErrorShape & After)
  | { kind: "http"; status: number; retryAfter?: number | undefined; body?: string | undefined }
  | { kind: "html" }
  | { kind: "expired" }
  | { kind: "cut-before" }
  | { kind: "slow-start"; milliseconds: number }
  | ({ kind: "cut" | "cut-in-frame" | "no-trailer" | "stall" } & After)
  | ({ kind: "stall-heartbeat"; everyMilliseconds?: number | undefined } & After)
  | { kind: "split"; bytes?: number | undefined }
  | { kind: "burst" | "gzip" | "snapshot" | "old-ids" | "no-mask" }
  | { kind: "unknown" | "degrade" | "empty" | "think-only" }
  | ({
      kind: "truncated" | "cancelled" | "status-error" | "garbage" | "huge" | "rewrite" | "retract";
    } & After)
  | ({
      kind: "exception";
      reason: string;
      severity?: string | undefined;
      message?: string | undefined;
      paywall?: boolean | JsonObject | undefined;
      /** What the message ends as; ERROR unless told (kimi-web.md §5.6 has COMPLETED). */
      status?: "ERROR" | "COMPLETED" | undefined;
    } & After);

/** How the frames are written, whatever is in them. */
export type Manner = {
  split?: number;
  burst?: boolean;
  gzip?: boolean;
  snapshot?: boolean;
  oldIds?: boolean;
  noMask?: boolean;
};

/** The manner of writing that a fault asks for. */
export function mannerOf(fault: Fault | undefined): Manner {
  switch (fault?.kind) {
    case "split":
      return { split: Math.max(1, fault.bytes ?? 1) };
    case "burst":
      return { burst: true };
    case "gzip":
      return { gzip: true };
    case "snapshot":
      return { snapshot: true };
    case "old-ids":
      return { oldIds: true };
    case "no-mask":
      return { noMask: true };
    default:
      return {};
  }
}

/** What goes wrong on the wire in a protocol's own way. */
export type Oddities = {
  /** A stranger among good frames after each of the first deltas: nothing in them belongs to the answer. */
  strangers: readonly StepOf<"raw">["frame"][];
  /** Well framed, and no JSON. */
  garbage: Uint8Array;
  /** More to come than anybody should wait for. */
  huge: Uint8Array;
};

/** The same answer with the fault in it. Faults that strike before the first step leave it alone. */
export function withFault(
  steps: readonly Step[],
  fault: Fault | undefined,
  oddities: Oddities = connectOddities,
): readonly Step[] {
  switch (fault?.kind) {
    case "error-late":
      return endAfter(steps, fault.after, { ...fault, do: "error-trailer" });
    case "cut":
    case "cut-in-frame":
    case "no-trailer":
    case "stall":
      return endAfter(steps, fault.after, { do: fault.kind });
    case "stall-heartbeat":
      return endAfter(steps, fault.after, { do: fault.kind, everyMilliseconds: fault.everyMilliseconds });
    case "truncated":
      return insertAfter(steps, fault.after, [{ do: "truncated" }]);
    case "cancelled":
      return endAfter(steps, fault.after, { do: "end", status: "CANCELLED" });
    case "status-error":
      return endAfter(steps, fault.after, { do: "end", status: "ERROR" });
    case "empty":
      return [{ do: "end" }];
    case "think-only":
      return [{ do: "think", content: "(Simulated) thinking, and nothing else." }, { do: "end" }];
    case "huge":
      return insertAfter(steps, fault.after, [{ do: "bytes", bytes: oddities.huge }, { do: "stall" }]);
    case "garbage":
      return insertAfter(steps, fault.after, [{ do: "bytes", bytes: oddities.garbage }]);
    case "rewrite":
      return insertAfter(steps, fault.after, [{ do: "rewrite", content: "(Rewritten.)" }]);
    case "degrade":
      return insertAfter(steps, Number.POSITIVE_INFINITY, [degraded]);
    case "unknown":
      return withUnknown(steps, oddities.strangers);
    case "retract":
      return withException(steps, fault.after, retracted, "ERROR");
    case "exception":
      return withException(steps, fault.after, { ...fault, do: "exception" }, fault.status ?? "ERROR");
    default:
      return steps;
  }
}

/** kimi-web.md §5.7. */
const retracted: Step = {
  do: "exception",
  reason: "REASON_CONTENT_FILTER",
  severity: "SEVERITY_MESSAGE_RETRACT",
};

/** The banner of kimi-web.md §2.5. */
const degraded: Step = {
  do: "notification",
  type: "TYPE_MODEL_DEGRADE",
  message: "High demand. Switched to K2.6 Instant for speed. Upgrade to use K2.6 Thinking.",
  paywall: {},
};

function endAfter(steps: readonly Step[], after: number | undefined, ending: Ending): Step[] {
  return [...splitAfter(steps, after ?? 2)[0], ending];
}

function insertAfter(steps: readonly Step[], after: number | undefined, inserted: readonly Step[]): Step[] {
  const [before, rest] = splitAfter(steps, after ?? 2);
  return [...before, ...inserted, ...rest];
}

function withException(
  steps: readonly Step[],
  after: number | undefined,
  exception: Step,
  status: "ERROR" | "COMPLETED",
): Step[] {
  return [...splitAfter(steps, after ?? 2)[0], exception, { do: "end", status }];
}

function withUnknown(steps: readonly Step[], strangers: Oddities["strangers"]): Step[] {
  const mixed: Step[] = [];
  let rest: readonly Step[] = steps;
  for (const stranger of strangers) {
    const [before, after] = splitAfter(rest, 1);
    mixed.push(...before, { do: "raw", frame: stranger });
    rest = after;
  }
  return [...mixed, ...rest];
}

type Stranger = (place: Place) => JsonObject;

const connectStrangers: readonly Stranger[] = [
  ({ chatId, eventOffset }) => ({
    op: "shuffle",
    mask: "chat.name",
    eventOffset,
    chat: { id: chatId, name: "?" },
  }),
  ({ messageId, eventOffset }) => ({
    op: "set",
    mask: "message.aura",
    eventOffset,
    message: { id: messageId, aura: { colour: "violet" } },
  }),
  ({ eventOffset }) => ({ op: "set", mask: "constellation", eventOffset, constellation: { name: "Lyra" } }),
  strangeBlock("block.hologram", { hologram: { content: "a new kind of block" } }),
  strangeBlock("block.multiStage", {
    multiStage: { stages: [{ name: "STAGE_NAME_DAYDREAMING", status: "STAGE_STATUS_DRIFTING" }] },
  }),
  strangeBlock("block.tool", {
    tool: { toolCallId: "daydream:1", name: "daydream", status: "STATUS_DONE", contents: [{ hologram: {} }] },
  }),
  ({ messageId, eventOffset }) => ({
    op: "set",
    mask: "message.status",
    eventOffset,
    message: { id: messageId, status: "MESSAGE_STATUS_PONDERING" },
  }),
  ({ eventOffset }) => ({
    op: "set",
    eventOffset,
    notification: { type: "TYPE_CONFETTI", message: "Hooray." },
  }),
];

function strangeBlock(mask: string, content: JsonObject): Stranger {
  return ({ eventOffset, block }) => ({
    op: "set",
    mask,
    eventOffset,
    block: { id: `strange-${block}`, parentId: "", ...content },
  });
}

const connectOddities: Oddities = {
  strangers: connectStrangers,
  garbage: envelope("this is not {JSON"),
  huge: hugeHeader(),
};
