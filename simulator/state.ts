import type { Turn } from "./answer.js";
import { CallLog } from "./call-log.js";
import { Chats } from "./chats.js";
import type { ErrorShape } from "./errors.js";
import type { Fault } from "./faults.js";
import { Files } from "./files.js";
import { History } from "./history.js";
import type { Visit } from "./http-call.js";
import { IdMint } from "./ids.js";
import { createLegacyWorld, type LegacyWorld } from "./legacy/state.js";
import type { Replay } from "./replay.js";
import type { Step } from "./steps.js";
import { TokenOffice } from "./tokens.js";

export type SimulatorOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** The pace between deltas; default 0. */
  deltaMilliseconds?: number;
  /** Life of an access token; default 900 (kimi-web.md §2.3). */
  accessTokenSeconds?: number;
  /** How long a refresh token lives on after it was exchanged; default 60, 0 lets it die at once. */
  refreshGraceSeconds?: number;
  /** Full control of an answer; undefined gives the default one. */
  script?: (turn: Turn) => Step[] | undefined;
  /** A folder that `moonbridge serve --record` has written: what is in it is answered first, and any token will do. */
  replay?: string;
};

/** What can go wrong with one call of RefreshToken; "drop" rotates and then cuts the line, so that the answer is lost. */
export type RefreshFault = { status: number } | { delayMilliseconds: number } | "drop";

/** The state of one fake Kimi. */
export type World = {
  readonly deltaMilliseconds: number;
  readonly script: (turn: Turn) => Step[] | undefined;
  readonly replay: Replay | undefined;
  readonly tokens: TokenOffice;
  readonly chats: Chats;
  readonly history: History;
  readonly files: Files;
  readonly legacy: LegacyWorld;
  readonly faults: Queue<Fault>;
  readonly refreshFaults: Queue<RefreshFault>;
  readonly uploadFaults: Queue<ErrorShape>;
  readonly log: CallLog;
  readonly streams: Set<Visit>;
  readonly counted: { refreshes: number; legacyRefreshes: number; chats: number };
};

export function createWorld(options: SimulatorOptions, replay?: Replay): World {
  const ids = new IdMint();
  const chats = new Chats(ids);
  return {
    deltaMilliseconds: options.deltaMilliseconds ?? 0,
    script: options.script ?? (() => undefined),
    replay,
    tokens: new TokenOffice(
      options.accessTokenSeconds ?? 900,
      options.refreshGraceSeconds ?? 60,
      replay !== undefined,
    ),
    chats,
    history: new History(chats),
    files: new Files(ids),
    legacy: createLegacyWorld(),
    faults: new Queue(),
    refreshFaults: new Queue(),
    uploadFaults: new Queue(),
    log: new CallLog(),
    streams: new Set(),
    counted: { refreshes: 0, legacyRefreshes: 0, chats: 0 },
  };
}

/** Things to happen to the next calls, in order. */
class Queue<T> {
  readonly #waiting: { item: T; times: number }[] = [];

  add(item: T, times: number): void {
    if (times > 0) this.#waiting.push({ item, times });
  }

  take(): T | undefined {
    const first = this.#waiting[0];
    if (!first) return undefined;
    first.times -= 1;
    if (first.times <= 0) this.#waiting.shift();
    return first.item;
  }
}
