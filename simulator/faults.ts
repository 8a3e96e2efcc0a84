import { encodeEnvelope, oversizedHeader } from "./envelope.js";
import type { ErrorFields } from "./errors.js";
import type { JsonObject } from "./json.js";
import { type Ending, type Step, type StepOf, type StreamPosition, splitAfter } from "./steps.js";

/** `after`: the number of deltas sent before the fault; default 2. */
type AfterDeltas = { after?: number | undefined };

/** A fault of one answer; a prompt selects the same kinds with `sim:fault=NAME` (docs/reference/simulator.md, “Faults”). */
export type Fault =
  /** An error trailer before any content; with `afterDone` in the form of kimi-web.md §5.6. */
  | ({ kind: "error"; afterDone?: boolean | undefined } & ErrorFields)
  | ({ kind: "error-late"; afterDone?: boolean | undefined } & ErrorFields & AfterDeltas)
  | { kind: "http"; status: number; retryAfter?: number | undefined; body?: string | undefined }
  | { kind: "html" }
  | { kind: "expired" }
  | { kind: "cut-before" }
  | { kind: "slow-start"; milliseconds: number }
  | ({ kind: "cut" | "cut-in-frame" | "no-trailer" | "stall" } & AfterDeltas)
  | ({ kind: "stall-heartbeat"; everyMilliseconds?: number | undefined } & AfterDeltas)
  | { kind: "split"; bytes?: number | undefined }
  /** Breaks the connection after this number of bytes of the response. */
  | { kind: "cut-bytes"; bytes: number }
  | { kind: "burst" | "gzip" | "snapshot" | "old-ids" | "no-mask" | "wrong-chat" | "wrong-parent" }
  | { kind: "unknown" | "degrade" | "empty" | "think-only" | "memory" }
  | ({
      kind: "truncated" | "cancelled" | "status-error" | "garbage" | "huge" | "rewrite" | "retract";
    } & AfterDeltas)
  | ({
      kind: "exception";
      reason: string;
      severity?: string | undefined;
      message?: string | undefined;
      paywall?: boolean | JsonObject | undefined;
      /** Final status of the message; default ERROR (kimi-web.md §5.6 has COMPLETED). */
      status?: "ERROR" | "COMPLETED" | undefined;
    } & AfterDeltas);

/** How frames are encoded and written, independent of the answer. */
export type WireOptions = {
  /** Write the response in pieces of this number of bytes. */
  split?: number;
  /** Break the connection after this number of bytes. */
  cutAfterBytes?: number;
  /** Write the whole response at once. */
  burst?: boolean;
  /** Compress each envelope. */
  gzip?: boolean;
  /** Each text event holds the whole text so far. */
  snapshot?: boolean;
  /** Block ids `0_0`, `0_1`, … */
  oldIds?: boolean;
  /** `set` events of blocks without a mask. */
  noMask?: boolean;
  /** The opening events name another chat, or another parent of the user message, than was requested. */
  wrongEcho?: "chat" | "parent";
  /** The echo of a message has single spaces only. */
  spacedEcho?: boolean;
};

/** The options of a fault that changes only the encoding; empty for all others. */
export function wireOptionsOf(fault: Fault | undefined): WireOptions {
  switch (fault?.kind) {
    case "split":
      return { split: Math.max(1, fault.bytes ?? 1) };
    case "cut-bytes":
      return { cutAfterBytes: fault.bytes };
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
    case "wrong-chat":
      return { wrongEcho: "chat" };
    case "wrong-parent":
      return { wrongEcho: "parent" };
    default:
      return {};
  }
}

/** Malformed and unknown frames in the encoding of one protocol. */
export type MalformedFrames = {
  /** Frames of unknown types without answer text; one is inserted after each of the first deltas. */
  unknown: readonly StepOf<"raw">["frame"][];
  /** A frame that tells of Kimi's memory; none where the protocol has no such frame. */
  memory: readonly StepOf<"raw">["frame"][];
  /** A well-formed frame whose payload is not JSON. */
  garbage: Uint8Array;
  /** The start of a frame that exceeds every sensible limit. */
  huge: Uint8Array;
};

/** The steps with the fault applied; unchanged for faults that concern the transport or the encoding. */
export function applyFault(
  steps: readonly Step[],
  fault: Fault | undefined,
  malformedFrames: MalformedFrames = connectMalformedFrames,
): readonly Step[] {
  switch (fault?.kind) {
    case "error-late":
      return endAfter(steps, fault.after, {
        ...fault,
        do: "error-trailer",
        // The connection ends with its token (kimi-web.md §6 row 10), the answer need not.
        ...(fault.code === "unauthenticated" ? { unsent: splitAfter(steps, fault.after ?? 2)[1] } : {}),
      });
    case "cut":
    case "cut-in-frame":
    case "no-trailer":
    case "stall": {
      const [sent, unsent] = splitAfter(steps, fault.after ?? 2);
      return [...sent, { do: fault.kind, unsent }];
    }
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
      return insertAfter(steps, fault.after, [{ do: "bytes", bytes: malformedFrames.huge }, { do: "stall" }]);
    case "garbage":
      return insertAfter(steps, fault.after, [{ do: "bytes", bytes: malformedFrames.garbage }]);
    case "rewrite":
      return insertAfter(steps, fault.after, [{ do: "rewrite", content: "(Rewritten.)" }]);
    case "degrade":
      return insertAfter(steps, Number.POSITIVE_INFINITY, [degradeNotification]);
    case "unknown":
      return insertUnknown(steps, malformedFrames.unknown);
    case "memory":
      return insertUnknown(steps, malformedFrames.memory);
    case "retract":
      return endWithException(steps, fault.after, retractionException, "ERROR");
    case "exception":
      return endWithException(steps, fault.after, { ...fault, do: "exception" }, fault.status ?? "ERROR");
    default:
      return steps;
  }
}

/** A moderation stop (kimi-web.md §5.7). */
const retractionException: Step = {
  do: "exception",
  reason: "REASON_CONTENT_FILTER",
  severity: "SEVERITY_MESSAGE_RETRACT",
};

/** The notification of a weaker model (kimi-web.md §2.5). */
const degradeNotification: Step = {
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

function endWithException(
  steps: readonly Step[],
  after: number | undefined,
  exception: Step,
  status: "ERROR" | "COMPLETED",
): Step[] {
  return [...splitAfter(steps, after ?? 2)[0], exception, { do: "end", status }];
}

function insertUnknown(steps: readonly Step[], unknownFrames: MalformedFrames["unknown"]): Step[] {
  const result: Step[] = [];
  let rest: readonly Step[] = steps;
  for (const frame of unknownFrames) {
    const [before, after] = splitAfter(rest, 1);
    result.push(...before, { do: "raw", frame });
    rest = after;
  }
  return [...result, ...rest];
}

/** Builds the JSON of a frame for its position in the answer. */
type UnknownFrame = (position: StreamPosition) => JsonObject;

const connectUnknownFrames: readonly UnknownFrame[] = [
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
  unknownBlock("block.hologram", { hologram: { content: "a new kind of block" } }),
  unknownBlock("block.multiStage", {
    multiStage: { stages: [{ name: "STAGE_NAME_DAYDREAMING", status: "STAGE_STATUS_DRIFTING" }] },
  }),
  unknownBlock("block.tool", {
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

function unknownBlock(mask: string, content: JsonObject): UnknownFrame {
  return ({ eventOffset, block }) => ({
    op: "set",
    mask,
    eventOffset,
    block: { id: `strange-${block}`, parentId: "", ...content },
  });
}

/** A memory block, whose fields are known from the site's code (kimi-web.md §6 #17). */
const memoryFrame = unknownBlock("block.memory", {
  memory: { created: [{ content: "likes tea" }], currentMemoryCount: 1, maxMemoryCount: 100 },
});

const connectMalformedFrames: MalformedFrames = {
  unknown: connectUnknownFrames,
  memory: [memoryFrame],
  garbage: encodeEnvelope("this is not {JSON"),
  huge: oversizedHeader(),
};
