import { CallLog } from "./call-log.js";
import type { Capability } from "./capabilities.js";
import { ChatMethods } from "./chat-methods.js";
import { Chats } from "./chats.js";
import type { Turn } from "./default-answer.js";
import type { ErrorFields } from "./errors.js";
import type { Fault } from "./faults.js";
import { Files } from "./files.js";
import type { HttpCall } from "./http-call.js";
import { IdGenerator } from "./ids.js";
import { createLegacyState, type LegacyState } from "./legacy/state.js";
import type { AfterCut } from "./message-after-cut.js";
import type { Replay } from "./replay.js";
import type { Step } from "./steps.js";
import type { Strictness } from "./strictness.js";
import { TaughtModel, type TaughtModelOptions } from "./taught-model/taught-model.js";
import type { ToolFault } from "./taught-model/tool-faults.js";
import { TokenIssuer } from "./tokens.js";

/** Options of `startSimulator`. */
export type SimulatorOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Milliseconds between deltas; default 0. */
  deltaMilliseconds?: number;
  /** Lifetime of an access token; default 900 (kimi-web.md §2.3). */
  accessTokenSeconds?: number;
  /** How long a refresh token stays valid after its first use; default 60. With 0 it becomes invalid at once. */
  refreshGraceSeconds?: number;
  /** How long a cancelled answer goes on occupying its chat over the current protocol; default 3,000 (kimi-web.md §6 row 1). */
  cancelMilliseconds?: number;
  /** What becomes of an answer whose connection is lost, over the current protocol; default `stops`. */
  afterCut?: AfterCut;
  /** Without other data for this time, a slow answer sends a heartbeat; default 1,000 (kimi-web.md §2.5). */
  heartbeatMilliseconds?: number;
  /** Request forms that are refused although some live clients send them; default none. */
  strictness?: readonly Strictness[];
  /** What Kimi does not do, although it is assumed of it; default none (docs/protocol/capabilities.md). */
  without?: readonly Capability[];
  /** Concurrent answers of each account over the legacy protocol; default 1 (kimi-web.md §1.6). */
  legacyConcurrency?: number;
  /** Returns the steps of an answer, or undefined for the default answer. */
  script?: (turn: Turn) => Step[] | undefined;
  /** How the model behaves in chats that tell it of functions. */
  taughtModel?: TaughtModelOptions;
  /** A folder written by `moonbridge serve --record`: its responses take precedence, and any token is accepted. */
  replay?: string;
};

/** A fault of one RefreshToken call; "drop" rotates the tokens and then breaks the connection, so the response is lost. */
export type RefreshFault = { status: number } | { delayMilliseconds: number } | "drop";

/** Everything that the calls of one simulator share. */
export type SimulatorState = {
  readonly deltaMilliseconds: number;
  readonly heartbeatMilliseconds: number;
  readonly afterCut: AfterCut;
  readonly strictness: ReadonlySet<Strictness>;
  readonly without: ReadonlySet<Capability>;
  readonly script: (turn: Turn) => Step[] | undefined;
  readonly replay: Replay | undefined;
  readonly tokens: TokenIssuer;
  readonly chats: Chats;
  readonly chatMethods: ChatMethods;
  readonly files: Files;
  readonly legacy: LegacyState;
  readonly faults: FaultQueue<Fault>;
  readonly refreshFaults: FaultQueue<RefreshFault>;
  readonly uploadFaults: FaultQueue<ErrorFields>;
  readonly taughtModel: TaughtModel;
  readonly toolFaults: FaultQueue<ToolFault>;
  readonly callLog: CallLog;
  /** Chat calls that have not ended. */
  readonly openStreams: Set<HttpCall>;
  /** Numbers of calls received so far. */
  readonly counters: { refreshes: number; legacyRefreshes: number; chats: number };
};

export function createState(options: SimulatorOptions, replay?: Replay): SimulatorState {
  const ids = new IdGenerator();
  const without = new Set(options.without);
  const chats = new Chats(ids, true, without.has("long-prompt") ? 440_000 : undefined);
  const legacy = createLegacyState(options.legacyConcurrency);
  const toolFaults = new FaultQueue<ToolFault>();
  const afterCut = options.afterCut ?? "stops";
  return {
    deltaMilliseconds: options.deltaMilliseconds ?? 0,
    heartbeatMilliseconds: Math.max(1, options.heartbeatMilliseconds ?? 1_000),
    afterCut,
    strictness: new Set(options.strictness),
    without,
    script: options.script ?? (() => undefined),
    replay,
    tokens: new TokenIssuer(
      options.accessTokenSeconds ?? 900,
      without.has("old-refresh-token") ? 0 : (options.refreshGraceSeconds ?? 60),
      replay !== undefined,
    ),
    chats,
    chatMethods: new ChatMethods(chats, legacy.chats, {
      cancelMilliseconds: options.cancelMilliseconds ?? 3_000,
      afterCut,
    }),
    files: new Files(ids),
    legacy,
    faults: new FaultQueue(),
    refreshFaults: new FaultQueue(),
    uploadFaults: new FaultQueue(),
    taughtModel: new TaughtModel(options.taughtModel ?? {}, () => toolFaults.next()),
    toolFaults,
    callLog: new CallLog(),
    openStreams: new Set(),
    counters: { refreshes: 0, legacyRefreshes: 0, chats: 0 },
  };
}

/** Faults for the next calls, in order; each applies to a number of calls. */
class FaultQueue<T> {
  readonly #pending: { fault: T; times: number }[] = [];

  add(fault: T, times: number): void {
    if (times > 0) this.#pending.push({ fault, times });
  }

  /** The fault of the next call; undefined for none. */
  next(): T | undefined {
    const first = this.#pending[0];
    if (!first) return undefined;
    first.times -= 1;
    if (first.times <= 0) this.#pending.shift();
    return first.fault;
  }
}
